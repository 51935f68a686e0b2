import { isWarrenError } from "../protocol/errors.ts";
import { isEqual } from "./bytes.ts";
import { type Link, type Step, stepOf } from "./chain.ts";
import type { SealingCrypto } from "./crypto.ts";
import {
  decodeRecord,
  openRecord,
  RECORD_KINDS,
  type RecordHead,
  type RecordKind,
  recordHash,
  type SealedRecord,
} from "./record.ts";

/**
 * What a reader does with a record from a hub, whole: it is taken only when its space is the right one, its sender is known and may send its kind,
 * its signature is the sender's, its seal opens, and it follows what is known of its chain. Changes nothing: the caller stores the text and the
 * link in one transaction.
 */

export interface Sender {
  /** The device or machine key that signs. */
  signerKey: Uint8Array;
  isMachine: boolean;
}

export interface Reading {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  space: Uint8Array;
  /** By login key at this hub. */
  senderOf(loginKey: Uint8Array): Sender | undefined;
  periodKeyOf(period: number): Uint8Array | undefined;
  /** The last link of the record's chain, by stream and sender; NO_LINK where there is none. */
  linkOf(record: RecordHead): Link;
}

export type Refusal =
  | "form"
  | "version"
  | "other_space"
  | "unknown_sender"
  | "kind_not_allowed"
  | "unknown_period"
  | "signature"
  | "seal";

export type Taken =
  | { kind: "taken"; record: SealedRecord; text: Uint8Array; link: Link }
  /** A `duplicate` or an `older` one: the hub may repeat. */
  | { kind: "dropped"; why: "duplicate" | "older" }
  /** The record opens, and does not follow; `record` and `text` are for showing it, not for taking it. */
  | { kind: "stuck"; step: Extract<Step, { kind: "gap" | "fork" }>; record: SealedRecord; text: Uint8Array; link: Link }
  | { kind: "refused"; why: Refusal };

/** Only a machine says how things are; only a device asks. */
const DEVICE_KINDS: readonly RecordKind[] = [RECORD_KINDS.request];

/** Never throws for anything that a hub could send. */
export async function takeRecord(crypto: SealingCrypto, reading: Reading, bytes: Uint8Array): Promise<Taken> {
  let record: SealedRecord;
  try {
    record = decodeRecord(bytes);
  } catch (error) {
    return { kind: "refused", why: isWarrenError(error, "VERSION_UNKNOWN") ? "version" : "form" };
  }
  const known = admit(reading, record);
  if (typeof known === "string") return { kind: "refused", why: known };
  const link = { seq: record.seq, hash: await recordHash(crypto, record) };
  const step = stepOf(reading.linkOf(record), record, link.hash);
  if (step.kind === "duplicate" || step.kind === "older") return { kind: "dropped", why: step.kind };
  const keys = { hub: reading.hub, periodKey: known.periodKey };
  let text: Uint8Array;
  try {
    text = await openRecord(crypto, { record, keys, signerKey: known.signerKey });
  } catch (error) {
    return { kind: "refused", why: isWarrenError(error, "SIGNATURE_WRONG") ? "signature" : "seal" };
  }
  if (step.kind === "gap" || step.kind === "fork") return { kind: "stuck", step, record, text, link };
  return { kind: "taken", record, text, link };
}

function admit(reading: Reading, record: SealedRecord): Refusal | (Sender & { periodKey: Uint8Array }) {
  if (!isEqual(record.space, reading.space)) return "other_space";
  const sender = reading.senderOf(record.sender);
  if (sender === undefined) return "unknown_sender";
  if (sender.isMachine === DEVICE_KINDS.includes(record.kind)) return "kind_not_allowed";
  if (record.kind === RECORD_KINDS.period) return { ...sender, periodKey: new Uint8Array(0) };
  const periodKey = reading.periodKeyOf(record.period);
  return periodKey === undefined ? "unknown_period" : { ...sender, periodKey };
}
