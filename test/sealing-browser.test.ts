import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { build } from "esbuild";
import { Chromium, missingChromium } from "./harness/chromium.ts";

/** The byte formats in a real browser, on its own WebCrypto. */
const SEALING = new URL("../src/sealing/", import.meta.url).pathname;
const GOLDEN = new URL("../src/sealing/golden/vectors.json", import.meta.url);
/** Besides the vectors: keys that stay in the browser, as a device has them. */
const SCRIPT = `
import { makeVectors } from "${SEALING}testing/vectors.ts";
import { handshakePair, shakeHands, sidesOf } from "${SEALING}testing/noise-pair.ts";
import { webCrypto } from "${SEALING}webcrypto.ts";
globalThis.sealing = {
  vectors: async () => JSON.stringify(await makeVectors()),
  async handshakes() {
    const crypto = webCrypto();
    const said = [];
    for (const pattern of ["IK", "XKpsk3"]) {
      const sides = await sidesOf(crypto, pattern);
      const { initiator, responder } = await shakeHands(await handshakePair(crypto, sides));
      const text = await responder.open(await initiator.seal(new Uint8Array(9)));
      const isKept = await globalThis.crypto.subtle.exportKey("pkcs8", sides.initiator.secret).then(() => false, () => true);
      said.push(pattern, text.length, isKept, isSecureContext);
    }
    const key = await crypto.newSigningKey();
    const low = await crypto.exchange(await crypto.newExchangeKey(), new Uint8Array(32)).catch((error) => error.code);
    said.push(await crypto.verify(key.publicKey, new Uint8Array(3), await crypto.sign(key, new Uint8Array(3))), low);
    return JSON.stringify(said);
  },
};
`;

test(
  "browser: Chromium makes every format's bytes as Node does, and handshakes with keys that cannot be read out",
  {
    skip: missingChromium(),
    timeout: 60_000,
  },
  async () => {
    const bundled = await build({
      stdin: { contents: SCRIPT, resolveDir: SEALING },
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
    });
    const page = `<!doctype html><title>sealing</title><link rel="icon" href="data:,"><script type="module">${bundled.outputFiles[0]!.text}</script>`;
    const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page)).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    try {
      await using browser = await Chromium.launch();
      const tab = await browser.tab();
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await tab.until("globalThis.sealing", "the script");
      const vectors = await tab.evaluate<string>("sealing.vectors()");
      assert.deepEqual(JSON.parse(vectors), JSON.parse(readFileSync(GOLDEN, "utf8")));
      const handshakes = await tab.evaluate<string>("sealing.handshakes()");
      const expected = ["IK", 9, true, true, "XKpsk3", 9, true, true, true, "KEY_REFUSED"];
      assert.deepEqual(JSON.parse(handshakes), expected);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);
