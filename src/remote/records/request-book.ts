import type { RemoteStore } from "../store.ts";
import { Kept } from "./kept.ts";

/**
 * The requests of this machine's devices, whichever way they came: each is in it once, until its deadline and a day after. A device numbers what it asks of
 * this machine, and names the one before that was open; here is remembered how far its numbers have come.
 *
 * 1. A device's requests are booked in the order of their numbers, and so carried out in it: one that is lower than the last is never booked.
 * 2. One whose predecessor has not come is not booked, and may come again: nothing is passed over.
 */
export interface BookedRequest {
  /** Of the device, growing. */
  readonly number: number;
  /** The hubs that have brought it as a record, and get the result. */
  readonly hubs: readonly string[];
  /** The request; empty once it is over. */
  readonly text: string;
  /** SHA-256 of what is asked, whatever stands beside it. */
  readonly hash: string;
  readonly deadline_ms: number;
  /** Handed to a server then; without `is_over`, nobody knows. */
  readonly begun_ms?: number;
  readonly is_over?: boolean;
  /** What was answered, where it is short: `result` or `error`, as JSON. */
  readonly outcome?: string;
}

interface Book {
  format: 1;
  oldest_reader: 1;
  /** By `device's signing key/id`, in the order in which they came. */
  requests: Record<string, BookedRequest>;
  /** By device: the number of the last that was booked, or refused for good. */
  last: Record<string, number>;
}

/** Open requests, and their texts; past them a request is refused. Answered ones beyond the first are forgotten, the oldest first. */
export const REQUESTS_MAX = 1_000;
const TEXT_LENGTH_MAX = 16 * 1024 * 1024;
/** A longer outcome is not kept for a repeat. */
export const KEPT_OUTCOME_LENGTH_MAX = 4 * 1024;
const KEPT_MS = 24 * 60 * 60 * 1_000;

export interface NewRequest {
  /** The device's signing key. */
  device: string;
  id: string;
  /** The number of the one before that was open; 0: none. */
  after: number;
  request: BookedRequest;
  /** It is refused whatever is in the book, and is not to be remembered. */
  isRefused: boolean;
}

/** `missing`: what it names as before it has not come. `overtaken`: a later one was booked before. */
export type Booking = "new" | "known" | "full" | "missing" | "overtaken" | "refused";

export class RequestBook {
  readonly #file: Kept<Book>;

  static async open(store: RemoteStore): Promise<RequestBook> {
    return new RequestBook(store, (await store.read("requests.json")) ?? "");
  }

  private constructor(store: RemoteStore, text: string) {
    this.#file = new Kept(store, "requests.json", readBook(text));
  }

  get(key: string): BookedRequest | undefined {
    return this.#file.now.requests[key];
  }

  /** That are not over, in their order. */
  get open(): [string, BookedRequest][] {
    return Object.entries(this.#file.now.requests).filter(([, { is_over }]) => is_over !== true);
  }

  /** On disk when it resolves. Undefined: the book is closed. */
  async add(wanted: NewRequest, nowMs: number): Promise<Booking | undefined> {
    let booking: Booking | undefined;
    await this.#file.change((draft) => {
      booking = judge(draft, wanted);
      const { device, id, request } = wanted;
      if (booking === "known") return broughtAgain(draft, keyOf(device, id), request);
      if (booking === "missing" || booking === "overtaken") return false;
      draft.last[device] = request.number;
      if (booking === "new") {
        forgetOld(draft, nowMs);
        draft.requests[keyOf(device, id)] = request;
      }
      return true;
    });
    return booking;
  }

  update(key: string, change: Partial<BookedRequest>): Promise<boolean> {
    return this.#file.change((draft) => {
      const known = draft.requests[key];
      if (known) draft.requests[key] = { ...known, ...change };
      return known !== undefined;
    });
  }

  /** It is over. False: it was brought again since it was seen so, or the book is closed. */
  finish(key: string, seen: BookedRequest, outcome: string | undefined): Promise<boolean> {
    return this.#file.change((draft) => {
      if (draft.requests[key] !== seen) return false;
      draft.requests[key] = { ...seen, is_over: true, text: "", ...(outcome === undefined ? {} : { outcome }) };
      return true;
    });
  }

  close(): void {
    this.#file.close();
  }
}

export const keyOf = (device: string, id: string): string => `${device}/${id}`;

function judge({ requests, last }: Book, { device, id, after, request, isRefused }: NewRequest): Booking {
  if (requests[keyOf(device, id)]) return "known";
  const before = last[device] ?? 0;
  if (request.number <= before) return "overtaken";
  if (after > before) return "missing";
  if (isRefused) return "refused";
  const open = Object.values(requests).filter(({ is_over }) => is_over !== true);
  const length = open.reduce((sum, { text }) => sum + text.length, request.text.length);
  return open.length >= REQUESTS_MAX || length > TEXT_LENGTH_MAX ? "full" : "new";
}

/**
 * Whoever brings one that is open gets its result too. A device whose chain has a gap makes what is open anew, with other numbers before it: it takes a
 * result of the text that it has sent last.
 */
function broughtAgain({ requests }: Book, key: string, request: BookedRequest): boolean {
  const known = requests[key]!;
  const added = request.hubs.filter((hub) => !known.hubs.includes(hub));
  const isNewer = request.hash === known.hash && sentMsOf(request.text) > sentMsOf(known.text);
  if (known.is_over === true || (added.length === 0 && !isNewer)) return false;
  requests[key] = { ...known, hubs: [...known.hubs, ...added], ...(isNewer ? { text: request.text } : {}) };
  return true;
}

function sentMsOf(text: string): number {
  try {
    return Number((JSON.parse(text) as { sent_ms?: number }).sent_ms ?? 0);
  } catch {
    return 0; // an older version has written it
  }
}

/** What is forgotten is not carried out again: its number is not higher than the last. */
function forgetOld({ requests }: Book, nowMs: number): void {
  const over = Object.entries(requests).filter(([, { is_over }]) => is_over === true);
  const tooMany = over.length - REQUESTS_MAX;
  for (const [index, [key, { deadline_ms }]] of over.entries())
    if (index < tooMany || deadline_ms + KEPT_MS < nowMs) delete requests[key];
}

/** What cannot be read is none: the servers know repeats of a day by their ids, and a device's chain does not begin again. */
function readBook(text: string): Book {
  try {
    const book = JSON.parse(text) as Book;
    const areTables = [book.requests, book.last].every((one) => typeof one === "object" && one !== null);
    if (book.oldest_reader === 1 && areTables) return book;
  } catch {
    // none yet
  }
  return { format: 1, oldest_reader: 1, requests: {}, last: {} };
}
