import type { Clock } from "../../platform/clock.ts";
import { fromHex, toHex } from "../../sealing/bytes.ts";
import { nextIn } from "../../sealing/chain.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { encodeHeads, headsDigest, type StreamHead } from "../../sealing/heads.ts";
import {
  namesKey,
  newPeriodKey,
  PERIOD_STREAM,
  type PeriodReader,
  sealPeriod,
  streamId,
} from "../../sealing/period.ts";
import { RECORD_KINDS, type RecordKindName, recordHash, sealRecord } from "../../sealing/record.ts";
import { REQUEST_LIFE_MS_MAX } from "../../sealing/request.ts";
import { linkOf, type Owed, type SpaceState, storedLink } from "./space-state.ts";

/**
 * Seals this machine's records at one hub into its state: the record, its link and what it says are one change, which is on disk before the hub is given
 * anything. So a number is used once, and what was sealed arrives, whatever is killed.
 */
export interface WriterParts {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  /** Our login key there. */
  space: Uint8Array;
  signer: SigningKey;
  crypto: SealingCrypto;
  clock: Clock;
}

/** A period's key is for a day at most. */
const PERIOD_MS_MAX = 24 * 60 * 60 * 1_000;
/** As long as a request may wait, and a day for whoever's clock is wrong. */
const FORMER_MS_MAX = REQUEST_LIFE_MS_MAX + PERIOD_MS_MAX;
/** Streams of a period, those of units that are gone among them; past it a new one begins. */
const CHAINS_MAX = 2_000;
/** What another period makes worthless: its streams are others. */
const { state, item, members, head } = RECORD_KINDS;
const OF_ONE_PERIOD: readonly number[] = [state, item, members, head];
const PERIODS = toHex(PERIOD_STREAM);
const HEADS = "heads";

export interface NewRecord {
  kind: RecordKindName;
  /** What a reader of the period calls its stream. */
  name: string;
  text: Uint8Array;
  talk?: Owed["talk"];
}

export function isPeriodDue({ period, chains }: SpaceState, readers: readonly PeriodReader[], nowMs: number): boolean {
  if (!period) return true;
  const isSame = period.readers.join() === idsOf(readers).join();
  return !isSame || Math.abs(nowMs - period.made_ms) >= PERIOD_MS_MAX || Object.keys(chains).length > CHAINS_MAX;
}

/**
 * A new key, for these alone. Periods are numbered by the clock, and so is the stream of their records: a home that was restored from a backup repeats no
 * number, and its readers go on with it.
 */
export async function beginPeriod(
  parts: WriterParts,
  draft: SpaceState,
  readers: readonly PeriodReader[],
): Promise<void> {
  const { crypto, hub, space, clock } = parts;
  const nowMs = clock.wallMs();
  const before = draft.period?.readers ?? [];
  endPeriod(draft, nowMs);
  // Whoever is new has nothing of what was told before.
  if (idsOf(readers).some((id) => !before.includes(id))) delete draft.talks;
  const last = Math.max(draft.former.at(-1)?.number ?? 0, draft.chains[PERIODS]?.seq ?? 0);
  const number = Math.max(last + 1, Math.floor(nowMs / 1_000));
  const key = newPeriodKey(crypto);
  draft.period = { number, key: toHex(key), made_ms: nowMs, readers: idsOf(readers) };
  const text = await sealPeriod(crypto, { context: { hub, space, period: number }, key, readers });
  const { hash: prev } = linkOf(draft.chains[PERIODS]);
  await seal(parts, draft, { kind: "period", stream: PERIOD_STREAM, text, at: { seq: number, prev } });
}

/** Nobody is left to read. */
export function endPeriod(draft: SpaceState, nowMs: number): void {
  const { period } = draft;
  const former = period ? [...draft.former, { number: period.number, key: period.key, ended_ms: nowMs }] : draft.former;
  draft.former = former.filter(({ ended_ms }) => Math.abs(nowMs - ended_ms) < FORMER_MS_MAX);
  const known = new Set(draft.former.map(({ number }) => number));
  delete draft.period;
  draft.theirs = Object.fromEntries(Object.entries(draft.theirs).filter(([, link]) => known.has(link.period)));
  for (const { talk } of draft.owed.toReversed()) if (talk) untell(draft, talk);
  draft.owed = draft.owed.filter(({ kind }) => !OF_ONE_PERIOD.includes(kind));
  const periods = draft.chains[PERIODS];
  draft.chains = periods ? { [PERIODS]: periods } : {};
  draft.rows = {};
  draft.members = "";
  draft.digest = "";
}

/** What is dropped before it went is told anew, under the next key. */
function untell({ talks }: SpaceState, { session, after }: NonNullable<Owed["talk"]>): void {
  if (talks?.[session]) talks[session] = { ...(after === undefined ? {} : { seq: after }), mark: "" };
}

/** In the present period. A state takes the place of one of its stream that the hub has not got yet. */
export async function sealNamed(parts: WriterParts, draft: SpaceState, wanted: NewRecord): Promise<void> {
  const { kind, name, text, talk } = wanted;
  const { crypto } = parts;
  const names = await namesKey(crypto, fromHex(draft.period!.key)!);
  const stream = await streamId(crypto, names, name);
  if (kind === "state") {
    const id = toHex(stream);
    draft.owed = draft.owed.filter((one) => one.kind !== RECORD_KINDS.state || one.stream !== id);
  }
  await seal(parts, draft, { kind, stream, text, talk, at: nextIn(linkOf(draft.chains[toHex(stream)])) });
}

/** Where it is another than the last one. */
export async function sealHeads(parts: WriterParts, draft: SpaceState): Promise<boolean> {
  if (!draft.period) return false;
  const heads = await headsOf(parts, draft);
  const digest = toHex(await headsDigest(parts.crypto, heads));
  if (digest === draft.digest) return false;
  for (const text of await encodeHeads(parts.crypto, heads))
    await sealNamed(parts, draft, { kind: "head", name: HEADS, text });
  draft.digest = digest;
  return true;
}

/** Of all our streams but that of the lists themselves. */
export async function headsOf({ crypto }: WriterParts, { period, chains }: SpaceState): Promise<StreamHead[]> {
  if (!period) return [];
  const own = toHex(await streamId(crypto, await namesKey(crypto, fromHex(period.key)!), HEADS));
  return Object.entries(chains)
    .filter(([stream]) => stream !== own)
    .map(([stream, link]) => ({ stream: fromHex(stream)!, ...linkOf(link) }));
}

async function seal(
  { crypto, clock, hub, space, signer }: WriterParts,
  draft: SpaceState,
  wanted: Omit<NewRecord, "name"> & { stream: Uint8Array; at: { seq: number; prev: Uint8Array } },
): Promise<void> {
  const { number: period, key } = draft.period!;
  const kind = RECORD_KINDS[wanted.kind];
  const { stream, text, talk } = wanted;
  const head = { kind, space, stream, sender: space, period, ...wanted.at, atMs: clock.wallMs() };
  const record = await sealRecord(crypto, { head, text, keys: { hub, periodKey: fromHex(key)! }, signer });
  const id = toHex(stream);
  draft.chains[id] = storedLink({ seq: head.seq, hash: await recordHash(crypto, record) });
  const bytes = Buffer.from(record.bytes).toString("base64");
  draft.owed.push({ kind, stream: id, bytes, ...(talk && { talk }) });
}

const idsOf = (readers: readonly PeriodReader[]): string[] => readers.map(({ loginKey }) => toHex(loginKey)).sort();
