/**
 * Has a worker note what each of its answers took, from the message to what is posted in answer, ms, under a name on its
 * global object. Stands before the worker's own code: listeners that a debugger adds cost time of their own.
 * Self-contained, because only its text travels there.
 */
export function timeMessages(name: string): void {
  const scope = globalThis as unknown as {
    postMessage: (...message: unknown[]) => void;
    addEventListener: (type: string, listener: () => void, capture: boolean) => void;
  };
  const times: number[] = [];
  Object.defineProperty(scope, name, { value: times });
  let began = 0;
  scope.addEventListener('message', () => (began = performance.now()), true);
  const post = scope.postMessage.bind(scope);
  scope.postMessage = (...message) => {
    times.push(performance.now() - began);
    post(...message);
  };
}
