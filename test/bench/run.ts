import { BenchBrowser } from './browser.ts';
import { measureFrames } from './frames.ts';
import { serveSite } from './site.ts';
const browser = await BenchBrowser.launch();
const site = await serveSite(null);
console.log(site.url);
console.log(
  JSON.stringify(
    await measureFrames(browser, site, {
      runtimes: ['vision_wasm_slim.wasm', 'vision_wasm_module_internal.wasm'],
      google: false,
      quick: true,
    }),
    null,
    1,
  ),
);
await browser.close();
await site.close();
