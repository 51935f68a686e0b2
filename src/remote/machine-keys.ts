import { fromHex, toHex } from "../sealing/bytes.ts";
import { type ExchangeKey, KEY_BYTES, type SealingCrypto, type SigningKey } from "../sealing/crypto.ts";
import { keyFileBad } from "./errors.ts";
import type { RemoteStore } from "./store.ts";

/**
 * Who this machine is to its devices, and to nobody else: one key that signs, one for Noise. Made once, at the first pairing; whoever loses them has
 * another machine, and its devices pair anew.
 */
export interface MachineKeys {
  signing: SigningKey;
  exchange: ExchangeKey;
}

/** @throws MACHINE_KEY_BAD, MACHINE_KEY_OPEN */
export async function machineKeys(store: RemoteStore, crypto: SealingCrypto): Promise<MachineKeys> {
  const text = await store.read("key");
  const secrets = text === undefined ? await newSecrets(store, crypto) : parse(store.pathOf("key"), text);
  return {
    signing: await crypto.signingKeyOf(secrets.subarray(0, KEY_BYTES)),
    exchange: await crypto.exchangeKeyOf(secrets.subarray(KEY_BYTES)),
  };
}

async function newSecrets(store: RemoteStore, crypto: SealingCrypto): Promise<Uint8Array> {
  const secrets = crypto.random(2 * KEY_BYTES);
  await store.write("key", `${toHex(secrets)}\n`);
  return secrets;
}

function parse(path: string, text: string): Uint8Array {
  const secrets = fromHex(text.trim());
  if (secrets?.length !== 2 * KEY_BYTES) throw keyFileBad(path, "it does not hold 128 hex digits");
  return secrets;
}
