import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { Chromium, type Tab } from "./chromium.ts";

/**
 * Runs `work` with a tab of a real browser in which `script` is loaded: modules of src/ on the browser's own platform. The page comes from 127.0.0.1, which browsers
 * take for secure.
 * @param name the global that the script sets when it is loaded
 * @param resolveDir what the script's imports are relative to
 */
export async function inBrowser(
  { script, name, resolveDir }: { script: string; name: string; resolveDir: string },
  work: (tab: Tab) => Promise<void>,
): Promise<void> {
  const bundled = await build({
    stdin: { contents: script, resolveDir },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
  });
  const page = `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><script type="module">${bundled.outputFiles[0]!.text}</script>`;
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await using browser = await Chromium.launch();
    const tab = await browser.tab();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await tab.until(`globalThis.${name}`, "the script");
    await work(tab);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
