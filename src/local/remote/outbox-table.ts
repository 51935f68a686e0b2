import type { DatabaseSync } from "node:sqlite";
import { isSettled, type OutboxItem, type OutboxStore } from "../../client/remote/outbox-item.ts";
import type { Link } from "../../sealing/chain.ts";
import { inTransaction } from "./device-database.ts";

/** What this home has asked of other machines, in the order in which it was added. */
interface Row {
  value: string;
  record: Uint8Array | null;
}

export class OutboxTable implements OutboxStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async items(): Promise<OutboxItem[]> {
    return (this.#database.prepare("select value, record from items order by position").all() as unknown as Row[]).map(
      itemOf,
    );
  }

  async put(item: OutboxItem, chain?: { id: string; link: Link }): Promise<void> {
    const { value, record } = rowOf(item);
    inTransaction(this.#database, () => {
      this.#database
        .prepare(
          `insert into items (id, machine, is_over, value, record) values (?, ?, ?, ?, ?)
           on conflict (id) do update set is_over = excluded.is_over, value = excluded.value, record = excluded.record`,
        )
        .run(item.id, item.machine, isSettled(item) ? 1 : 0, value, record);
      if (chain)
        this.#database
          .prepare("insert or replace into links (id, seq, hash) values (?, ?, ?)")
          .run(chain.id, chain.link.seq, chain.link.hash);
    });
  }

  async remove(id: string): Promise<void> {
    this.#database.prepare("delete from items where id = ?").run(id);
  }

  async link(chain: string): Promise<Link | undefined> {
    const row = this.#database.prepare("select seq, hash from links where id = ?").get(chain);
    return row && { seq: row.seq as number, hash: row.hash as Uint8Array };
  }

  /** The machines for which something is open. */
  machines(): string[] {
    const rows = this.#database.prepare("select distinct machine from items where is_over = 0 order by machine").all();
    return rows.map(({ machine }) => machine as string);
  }

  /** What is over beyond the newest so many is forgotten. */
  forgetOver(count: number): void {
    this.#database
      .prepare(
        `delete from items where is_over = 1 and position not in
         (select position from items where is_over = 1 order by position desc limit ?)`,
      )
      .run(count);
  }
}

function rowOf(item: OutboxItem): Row {
  const { sealed, ...rest } = item;
  if (!sealed) return { value: JSON.stringify(rest), record: null };
  const { bytes, ...facts } = sealed;
  return { value: JSON.stringify({ ...rest, sealed: facts }), record: bytes };
}

function itemOf({ value, record }: Row): OutboxItem {
  const item = JSON.parse(value) as OutboxItem;
  return item.sealed && record ? { ...item, sealed: { ...item.sealed, bytes: record } } : item;
}
