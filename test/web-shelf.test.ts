import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missingChromium } from "./harness/chromium.ts";
import { inBrowser } from "./harness/script-in-browser.ts";

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
  () =>
    inBrowser({ script: SCRIPT, name: "shelf", resolveDir: STORE }, async (tab) => {
      assert.equal(await tab.evaluate("shelf.conforms()"), 8);
      assert.equal(await tab.evaluate("shelf.conforms()"), 8, "and leaves nothing behind");
      assert.deepEqual(await tab.evaluate("shelf.refused()"), [
        "STORAGE_FAILED",
        "This browser keeps nothing for the app: The operation is insecure.",
      ]);
    }),
);
