import type { WireError } from "../../protocol/errors.ts";
import type { RemoteStore } from "../store.ts";
import { Kept } from "./kept.ts";

/**
 * The requests that came as records, each until its deadline and a day after: by device and id, so that each is carried out once, whichever hub brings it,
 * and how often.
 */
export interface BookedRequest {
  hub: string;
  /** The request as it was sealed, and what its result names it by. */
  text: string;
  hash: string;
  deadline_ms: number;
  /** Why it is not to be carried out. */
  problem?: WireError;
  /** Handed to a server then; without `is_over`, nobody knows. */
  begun_ms?: number;
  is_over?: boolean;
  /** What was answered, where it is short. */
  result?: string;
}

interface Book {
  format: 1;
  oldest_reader: 1;
  /** By `device's signing key/id`, in the order in which they came. */
  requests: Record<string, BookedRequest>;
}

export const REQUESTS_MAX = 1_000;
/** A longer result is not kept for a repeat. */
export const KEPT_RESULT_LENGTH_MAX = 4 * 1024;
const KEPT_MS = 24 * 60 * 60 * 1_000;

export type Booking = "new" | "known" | "full";

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

  /** On disk when it resolves. */
  async add(key: string, request: BookedRequest, nowMs: number): Promise<Booking> {
    let booking: Booking = "known";
    await this.#file.change((draft) => {
      if (draft.requests[key]) return false;
      for (const [old, { deadline_ms, is_over }] of Object.entries(draft.requests))
        if (is_over === true && deadline_ms + KEPT_MS < nowMs) delete draft.requests[old];
      booking = Object.keys(draft.requests).length >= REQUESTS_MAX ? "full" : "new";
      if (booking === "new") draft.requests[key] = request;
      return booking === "new";
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

  close(): void {
    this.#file.close();
  }
}

/** What cannot be read is none: the servers know repeats of a day by their ids, and a device's chain does not begin again. */
function readBook(text: string): Book {
  try {
    const book = JSON.parse(text) as Book;
    if (book.oldest_reader === 1 && typeof book.requests === "object" && book.requests !== null) return book;
  } catch {
    // none yet
  }
  return { format: 1, oldest_reader: 1, requests: {} };
}
