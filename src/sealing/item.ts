import type { ConversationItem, ConversationSnapshot, ConversationState } from "../protocol/conversation.ts";
import { cutText } from "../protocol/cut-text.ts";
import { jsonIn, utf8 } from "./bytes.ts";
import { formInvalid } from "./errors.ts";

/**
 * The text of an `item` record in the stream `talk/<session id>`: some of what was said in an agent's conversation, as JSON. Entries are as the session's
 * stream has them, upserts by `id` with the `seq` of their last change; so what comes twice changes nothing. The person's mail is told in the same way, in the
 * stream `mail` (`mail-item.ts`).
 *
 * 1. A record has every change after `after`, up to `seq`, of the entries that are told: whoever has the conversation up to `after` has it up to `seq` then,
 *    and whoever has less lacks something, whatever chain or period the record is of.
 * 2. One that `begins` is told to whoever has nothing. Older entries, and changes up to `after`, are left out.
 */
export interface TalkItem<I extends ToldItem = ConversationItem> {
  session: string;
  /** Of the conversation's events. */
  after: number;
  seq: number;
  begins?: true;
  /** Of the whole conversation, when it was sealed. A beginning that is behind what is known replaces it: the machine has lost what came after. */
  newest: number;
  state: ConversationState;
  /** In the order of their last changes. */
  entries: TalkEntry<I>[];
}

/** What an entry has at least, of whatever it is. */
export interface ToldItem {
  id: string;
  at: string;
  /** Of its last change. */
  seq: number;
  kind: string;
  cut?: unknown;
}

/** What there is to tell, as it is now: entries by their place. */
export interface Told<I extends ToldItem = ToldItem> {
  seq: number;
  state: ConversationState;
  entries: readonly TalkEntry<I>[];
}

/** Its place among all that were ever told in its conversation, from 0, and what it is. One that was cut has `cut`. */
export type TalkEntry<I extends ToldItem = ConversationItem> = [place: number, item: I];

/** A longer record begins another one. */
export const TALK_RECORD_BYTES_MAX = 16 * 1024;
/** A longer entry is cut, and says so. */
const TALK_ENTRY_BYTES_MAX = 12 * 1024;
/** What is told of a conversation to whoever has nothing of it: the last ones; older ones can be read at the machine alone. */
export const TALK_BEGIN_ENTRIES_MAX = 200;
export const TALK_BEGIN_BYTES_MAX = 256 * 1024;

/** What the records of the person's mail name as their session, and the name of their stream; no session has such an id. */
export const MAIL_TOLD = "mail";

/** Of the items of this session. */
export const streamOfItems = (session: string): string => (session === MAIL_TOLD ? MAIL_TOLD : `talk/${session}`);

/** A conversation as what there is to tell of it. */
export const toldTalk = ({ seq, state, items, dropped_count }: Conversation): Told<ConversationItem> => ({
  seq,
  state,
  entries: items.map((item, index) => [dropped_count + index, item]),
});

/**
 * The records of what has changed after `after`, in order; none, where nothing has.
 * @param after undefined: from the beginning, as far as that is told
 */
export function toldItemsOf<I extends ToldItem>(session: string, all: Told<I>, after?: number): TalkItem<I>[] {
  const { seq: newest, state, entries: placed } = all;
  const { base, told } =
    after === undefined ? beginning(placed) : { base: after, told: placed.filter(([, { seq }]) => seq > after) };
  const records: TalkItem<I>[] = [];
  let bytes = 0;
  for (const [place, item] of told.sort(([, a], [, b]) => a.seq - b.seq)) {
    const entry: TalkEntry<I> = [place, cutEntry(item)];
    const entryBytes = bytesOf(entry);
    const last = records.at(-1);
    if (last && bytes + entryBytes <= TALK_RECORD_BYTES_MAX - FRAME_BYTES) {
      last.entries.push(entry);
      last.seq = Math.max(last.seq, item.seq);
      bytes += entryBytes;
      continue;
    }
    const from = last?.seq ?? base;
    const begins = last === undefined && after === undefined ? { begins: true as const } : {};
    records.push({ session, after: from, seq: Math.max(from, item.seq), ...begins, newest, state, entries: [entry] });
    bytes = entryBytes;
  }
  const last = records.at(-1);
  if (last) last.seq = Math.max(newest, last.seq);
  return records;
}

export const encodeTalkItem = (item: TalkItem<ToldItem>): Uint8Array => utf8(JSON.stringify(item));

/** Entries of any kind, also of one that this reader does not know: see `isKnownItem`. @throws FORM_INVALID, without a word of the text */
export function decodeTalkItem<I extends ToldItem = ConversationItem>(text: Uint8Array): TalkItem<I> {
  const value = parsed(text);
  if (!hasShape(value, RECORD)) throw formInvalid("conversation's record", "it is no JSON, or lacks a field");
  const { session, after, seq, newest, begins, state, entries } = value as unknown as TalkItem<I>;
  if (session === "" || session.length > SESSION_CHARS_MAX || seq < after)
    throw formInvalid("conversation's record", "it is of no session, or ends before it begins");
  return {
    session,
    after,
    seq,
    ...(begins === true ? { begins } : {}),
    newest,
    state: STATES.includes(state) ? state : "idle",
    entries: entries.filter((entry) => isEntry(entry)),
  };
}

function parsed(text: Uint8Array): unknown {
  try {
    return jsonIn(text);
  } catch {
    return undefined;
  }
}

/** What a value has at least; of a list each element. By hand and not by the protocol's schemas, which a page would have to load before its first list. */
export type Shape = "text" | "count" | "any" | readonly [Shape] | { readonly [field: string]: Shape };

const SESSION_CHARS_MAX = 200;
const STATES: readonly string[] = ["starting", "working", "needs_you", "idle", "ended"] satisfies ConversationState[];
const RECORD: Shape = {
  session: "text",
  after: "count",
  seq: "count",
  newest: "count",
  state: "text",
  entries: [["any"]],
};
const ITEM: Shape = { id: "text", at: "text", seq: "count", kind: "text" };
function isEntry(entry: unknown): boolean {
  const [place, item] = entry as [unknown, unknown];
  return hasShape(place, "count") && hasShape(item, ITEM);
}

export function hasShape(value: unknown, shape: Shape): boolean {
  if (shape === "any") return true;
  if (shape === "text") return typeof value === "string";
  if (shape === "count") return Number.isSafeInteger(value) && (value as number) >= 0;
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((one) => hasShape(one, shape[0]));
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(shape).every(([field, inner]) => hasShape((value as Record<string, unknown>)[field], inner));
}

type Conversation = Pick<ConversationSnapshot, "seq" | "state" | "items" | "dropped_count">;

/** What stands around the entries. */
const FRAME_BYTES = 1024;
const bytesOf = (value: unknown): number => utf8(JSON.stringify(value)).length + 1;

/** The last entries, and up to where nothing is missed of those before them. */
function beginning<I extends ToldItem>(placed: readonly TalkEntry<I>[]): { base: number; told: TalkEntry<I>[] } {
  let first = placed.length;
  for (let bytes = 0; first > 0 && placed.length - first < TALK_BEGIN_ENTRIES_MAX; first--) {
    bytes += Math.min(TALK_ENTRY_BYTES_MAX, bytesOf(placed[first - 1]));
    if (bytes > TALK_BEGIN_BYTES_MAX) break;
  }
  const base = placed.slice(0, first).reduce((most, [, { seq }]) => Math.max(most, seq), 0);
  return { base, told: placed.slice(first) };
}

/** At most {@link TALK_ENTRY_BYTES_MAX} bytes: its texts and lists are shortened alike, until it fits. */
function cutEntry<I extends ToldItem>(item: I): I {
  if (bytesOf(item) <= TALK_ENTRY_BYTES_MAX) return item;
  for (let chars = 8 * 1024, count = 256; chars >= CHARS_MIN; chars /= 2, count = Math.max(1, count / 4)) {
    const cut = { ...(shortened(item, { chars, count, depth: 0 }) as I), cut: true };
    if (bytesOf(cut) <= TALK_ENTRY_BYTES_MAX) return cut;
  }
  const { id, at, seq } = item;
  const notice = { id, at, seq, kind: "notice", severity: "info", text: "Too long to be kept here.", cut: true };
  return notice as ToldItem as I;
}

/** No id and no word of ours is longer. */
const CHARS_MIN = 128;
const DEPTH_MAX = 6;

function shortened(value: unknown, limits: { chars: number; count: number; depth: number }): unknown {
  if (typeof value === "string") return value.length <= limits.chars ? value : `${cutText(value, limits.chars)}…`;
  if (typeof value !== "object" || value === null) return value;
  if (limits.depth > DEPTH_MAX) return "…";
  const inner = { ...limits, depth: limits.depth + 1 };
  if (Array.isArray(value)) return value.slice(0, limits.count).map((one) => shortened(one, inner));
  const fields = Object.entries(value).slice(0, FIELDS_MAX);
  return Object.fromEntries(fields.map(([name, one]) => [cutText(name, CHARS_MIN), shortened(one, inner)]));
}

/** More than an item of ours has. */
const FIELDS_MAX = 32;
