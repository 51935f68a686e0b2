import { concat, isEqual, utf8 } from "./bytes.ts";
import { type ExchangeKey, KEY_BYTES, type SealingCrypto } from "./crypto.ts";
import { formInvalid, notForUs } from "./errors.ts";
import { HPKE_OVERHEAD_BYTES, openFrom, sealTo } from "./hpke.ts";
import { decodeWith, encodeWith, fixed, struct } from "./layout.ts";
import { STREAM_BYTES } from "./record.ts";

/**
 * Period keys: one random key of one machine at one hub, for all of its devices and for a day at most. Each device gets a copy that is sealed
 * to its key, in a `period` record, whose signature says that it is the machine's. A device that is gone gets none of the next.
 */

/** As many as a space has members. */
export const PERIOD_COPIES_MAX = 32;
/** The stream of `period` records: the one that is named before there is a key to name streams with. */
export const PERIOD_STREAM: Uint8Array = new Uint8Array(STREAM_BYTES);

/** What a copy is bound to, besides the device. */
export interface PeriodContext {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  space: Uint8Array;
  period: number;
}

export interface PeriodReader {
  /** Its login key at this hub. */
  loginKey: Uint8Array;
  /** Its X25519 key. */
  exchangeKey: Uint8Array;
}

export const newPeriodKey = (crypto: SealingCrypto): Uint8Array => crypto.random(KEY_BYTES);

const COPY = struct({ loginKey: fixed(KEY_BYTES), sealed: fixed(HPKE_OVERHEAD_BYTES + KEY_BYTES) });

/** The text of a `period` record: how many copies, then each device's login key and copy. @throws FORM_INVALID, KEY_REFUSED */
export async function sealPeriod(
  crypto: SealingCrypto,
  { context, key, readers }: { context: PeriodContext; key: Uint8Array; readers: readonly PeriodReader[] },
): Promise<Uint8Array> {
  if (readers.length > PERIOD_COPIES_MAX) throw formInvalid("period", `${readers.length} copies are too many`);
  const copies = await Promise.all(
    readers.map(async ({ loginKey, exchangeKey }) => ({
      loginKey,
      sealed: await sealTo(crypto, exchangeKey, { text: key, info: infoOf(context, loginKey) }),
    })),
  );
  return encodeWith("period", (writer) => {
    writer.integer(copies.length, 1);
    for (const copy of copies) COPY.write(copy, writer);
  });
}

/** The period's key. @throws FORM_INVALID; NOT_FOR_US: there is no copy for this device; SEAL_BROKEN, KEY_REFUSED */
export async function openPeriod(
  crypto: SealingCrypto,
  {
    context,
    text,
    loginKey,
    own,
  }: { context: PeriodContext; text: Uint8Array; loginKey: Uint8Array; own: ExchangeKey },
): Promise<Uint8Array> {
  const copy = copiesOf(text).find((one) => isEqual(one.loginKey, loginKey));
  if (copy === undefined) throw notForUs(context.period);
  return openFrom(crypto, own, { sealed: copy.sealed, info: infoOf(context, loginKey) });
}

/** @throws FORM_INVALID */
export const copiesOf = (text: Uint8Array): { loginKey: Uint8Array; sealed: Uint8Array }[] =>
  decodeWith("period", text, (reader) => {
    const count = reader.integer(1);
    if (count > PERIOD_COPIES_MAX) throw formInvalid("period", `${count} copies are too many`);
    return Array.from({ length: count }, () => COPY.read(reader));
  });

/** What streams of a period are named with: see {@link streamId}. */
export const namesKey = (crypto: SealingCrypto, periodKey: Uint8Array): Promise<Uint8Array> =>
  crypto.hkdf({ secret: periodKey, salt: new Uint8Array(0), info: utf8("warren names 1"), length: KEY_BYTES });

/** The opaque name of a stream, e.g. of `unit/blazing`: the same for all readers of the period, and nothing to a hub. */
export const streamId = async (crypto: SealingCrypto, names: Uint8Array, name: string): Promise<Uint8Array> =>
  (await crypto.hmac(names, utf8(name))).slice(0, STREAM_BYTES);

const infoOf = ({ hub, space, period }: PeriodContext, loginKey: Uint8Array): Uint8Array => {
  const number = encodeWith("period", (writer) => writer.integer(period, 4));
  return concat(utf8("warren period 1\0"), hub, space, number, loginKey);
};
