/** The loader of the runtime; the package has no types for it. Importing it also sets `globalThis.ModuleFactory`. */
declare module '@mediapipe/tasks-vision/vision_wasm_module_internal.js' {
  const factory: (options: object) => Promise<object>;
  export default factory;
}
