import type { JournalRecord } from "../../protocol/journal-records.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import type { SessionHandle } from "../sessions/session-client.ts";
import type { SessionJournal } from "../sessions/session-journal.ts";

/** The journal of a session on another machine, page by page. Where a page ends the next one begins, through any loss of the way. */
const WAIT_MS = 30_000;

type Page = DataOf<"session.journal">;

export class JournalThere implements SessionJournal {
  readonly #handle: SessionHandle;

  constructor(handle: SessionHandle) {
    this.#handle = handle;
  }

  records(): AsyncGenerator<JournalRecord, void> {
    return this.#from({});
  }

  /** A server from before `last_bytes` sends all. */
  last(outputBytes: number): AsyncGenerator<JournalRecord, void> {
    return this.#from({ last_bytes: outputBytes });
  }

  async *#from(start: { last_bytes?: number }): AsyncGenerator<JournalRecord, void> {
    let page = await this.#page(start);
    yield* recordsOf(page);
    while (page.is_more && page.next) {
      page = await this.#page({ from: page.next });
      yield* recordsOf(page);
    }
  }

  async *follow(signal: AbortSignal): AsyncGenerator<readonly JournalRecord[], void> {
    let from: Page["next"];
    let wait_ms = 0;
    while (!signal.aborted) {
      const page = await this.#page({ wait_ms, ...(from ? { from } : {}) }, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (!page) return;
      from = page.next ?? from;
      if (page.records.length > 0) yield recordsOf(page);
      if (!page.is_more) yield [];
      // Nothing more comes, whether or not an end was written down.
      if (!page.is_more && page.records.length === 0 && page.session.status !== "running") return;
      wait_ms = page.is_more ? 0 : WAIT_MS;
    }
  }

  #page(wanted: Omit<PayloadOf<"session.journal">, "session">, signal?: AbortSignal): Promise<Page> {
    const { client, id } = this.#handle;
    return client.request("session.journal", { session: id, ...wanted }, signal ? { signal } : {});
  }
}

const recordsOf = ({ records }: Page): JournalRecord[] =>
  records.map(({ kind, time_ms, offset, base64 }) => ({
    kind,
    timeMs: time_ms,
    offset,
    bytes: Buffer.from(base64, "base64"),
  }));
