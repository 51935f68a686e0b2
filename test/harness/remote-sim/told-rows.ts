import { type KeptTalk, withTalkItem } from "../../../src/client/remote/kept-talk.ts";
import type { RecordRow } from "../../../src/client/remote/record-store.ts";
import type { MemoryRecords } from "../../../src/client/remote/testing/memory-records.ts";
import { decodeTalkItem, type ToldItem } from "../../../src/sealing/item.ts";
import { RECORD_KINDS } from "../../../src/sealing/record.ts";

interface Seen {
  count: number;
  last: RecordRow | undefined;
  talks: Map<string, KeptTalk<ToldItem>>;
}

/** The rows of a device that tell of conversations and of mail, and what they come to. Rows are only added: what is behind those that were looked at before is looked at. */
export class ToldRows {
  readonly #records: MemoryRecords;
  readonly #seen = new Map<string, Seen>();

  constructor(records: MemoryRecords) {
    this.#records = records;
  }

  /** By one hub. */
  of(hub: string): RecordRow[] {
    return this.#records.rows.filter((row) => row.hub === hub && row.kind === RECORD_KINDS.item);
  }

  /** What a device shows of it. */
  talk<I extends ToldItem>(hub: string, session: string): KeptTalk<I> | undefined {
    return this.#talks(hub).get(session) as KeptTalk<I> | undefined;
  }

  #talks(hub: string): Seen["talks"] {
    const rows = this.of(hub);
    const before = this.#seen.get(hub);
    const known = before && before.last === rows[before.count - 1] ? before : undefined;
    const talks = known?.talks ?? new Map<string, KeptTalk<ToldItem>>();
    for (const { text, atMs } of rows.slice(known?.count ?? 0)) {
      const item = decodeTalkItem<ToldItem>(text);
      talks.set(item.session, withTalkItem(talks.get(item.session), item, atMs));
    }
    this.#seen.set(hub, { count: rows.length, last: rows.at(-1), talks });
    return talks;
  }
}
