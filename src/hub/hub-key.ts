import { randomBytes } from "node:crypto";
import { chmodSync, statSync } from "node:fs";
import { readTextIfExists, writeFileAtomic } from "../platform/atomic-file.ts";
import { WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { KEY_BYTES, type SealingCrypto, type SigningKey } from "../sealing/crypto.ts";

/**
 * The hub's identity: 32 secret bytes in hex, in a file that its user alone can read. It is made once; whoever loses it has another hub, and everybody pairs anew.
 * @throws HUB_KEY_BAD
 */
export async function hubKey(path: string, crypto: SealingCrypto): Promise<SigningKey> {
  const text = readTextIfExists(path);
  if (text === undefined) {
    const secret = randomBytes(KEY_BYTES);
    writeFileAtomic(path, `${secret.toString("hex")}\n`, 0o600);
    return crypto.signingKeyOf(secret);
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw bad(path);
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return crypto.signingKeyOf(Buffer.from(text.trim(), "hex"));
}

const bad = (path: string): WarrenError =>
  new WarrenError("HUB_KEY_BAD", `${path} does not hold a hub's key: 64 hex digits.`, {
    fix: `put it back from a backup, or: mv ${quoteWord(path)} ${quoteWord(`${path}.bad`)}      # a new hub: everybody pairs anew`,
  });
