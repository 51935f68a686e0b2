import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { missingChromium } from "./harness/chromium.ts";
import { inBrowser } from "./harness/script-in-browser.ts";

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
  () =>
    inBrowser({ script: SCRIPT, name: "sealing", resolveDir: SEALING }, async (tab) => {
      const vectors = await tab.evaluate<string>("sealing.vectors()");
      assert.deepEqual(JSON.parse(vectors), JSON.parse(readFileSync(GOLDEN, "utf8")));
      const handshakes = await tab.evaluate<string>("sealing.handshakes()");
      const expected = ["IK", 9, true, true, "XKpsk3", 9, true, true, true, "KEY_REFUSED"];
      assert.deepEqual(JSON.parse(handshakes), expected);
    }),
);
