import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { Chromium, missingChromium } from "./harness/chromium.ts";

/** The app's store in a real browser's IndexedDB. */
const STORE = join(import.meta.dirname, "..", "src", "web", "store", "device");
const SCRIPT = `
import { openShelf } from "${STORE}/indexed-shelf.ts";
import { newSecret, shelfConforms } from "${STORE}/testing/shelf-conformance.ts";
globalThis.shelf = {
  conforms: async () => (await shelfConforms(await openShelf(), newSecret)).length,
  refused: () => openShelf({ open() { throw new DOMException("The operation is insecure", "SecurityError"); } }).catch(({ code, message }) => [code, message]),
};
`;

test(
  "shelf: IndexedDB of Chromium does what memory does, and a browser that refuses says so",
  { skip: missingChromium(), timeout: 60_000 },
  async () => {
    const bundled = await build({
      stdin: { contents: SCRIPT, resolveDir: STORE },
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
    });
    const page = `<!doctype html><title>shelf</title><link rel="icon" href="data:,"><script type="module">${bundled.outputFiles[0]!.text}</script>`;
    const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page)).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    try {
      await using browser = await Chromium.launch();
      const tab = await browser.tab();
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await tab.until("globalThis.shelf", "the script");
      assert.equal(await tab.evaluate("shelf.conforms()"), 8);
      assert.equal(await tab.evaluate("shelf.conforms()"), 8, "and leaves nothing behind");
      assert.deepEqual(await tab.evaluate("shelf.refused()"), [
        "STORAGE_FAILED",
        "This browser keeps nothing for the app: The operation is insecure.",
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);
