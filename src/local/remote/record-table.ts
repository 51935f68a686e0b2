import type { DatabaseSync } from "node:sqlite";
import {
  behindOf,
  gapId,
  periodId,
  type RecordChange,
  type RecordGap,
  type RecordRow,
  type RecordStore,
  type RecordsOfHub,
} from "../../client/remote/record-store.ts";
import type { Link } from "../../sealing/chain.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { inTransaction } from "./device-database.ts";

/** What this home has read at each hub: how far, the machines' keys, and the newest state of each of their units. Results are the outbox's. */
export class RecordTable implements RecordStore {
  readonly #database: DatabaseSync;
  /** Hear that something was read. */
  readonly readers = new Set<() => void>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async load(hub: string): Promise<RecordsOfHub> {
    const all = (sql: string) => this.#database.prepare(sql).all(hub);
    const chains = new Map<string, Link>();
    for (const { id, seq, hash } of all("select id, seq, hash from chains where hub = ?"))
      chains.set(id as string, { seq: seq as number, hash: hash as Uint8Array });
    const periods = new Map<string, Uint8Array>();
    for (const { id, key } of all("select id, key from periods where hub = ?"))
      periods.set(id as string, key as Uint8Array);
    const [row] = all("select place from places where hub = ?");
    return { place: (row?.place as number | undefined) ?? 0, chains, periods, behind: behindOf(this.gaps(hub)) };
  }

  async commit(hub: string, change: RecordChange): Promise<void> {
    inTransaction(this.#database, () => this.#write(hub, change));
    // Behind whoever waits for this.
    setImmediate(() => {
      for (const tell of [...this.readers]) tell();
    });
  }

  async forget(hub: string): Promise<void> {
    inTransaction(this.#database, () => {
      for (const table of ["places", "chains", "periods", "rows", "gaps"])
        this.#database.prepare(`delete from ${table} where hub = ?`).run(hub);
    });
  }

  /** What machines have said of their units, by whatever hub. */
  rows(): RecordRow[] {
    const rows = this.#database.prepare("select hub, machine, stream, seq, at_ms as atMs, text from rows").all();
    return rows.map((row) => ({ ...row, kind: RECORD_KINDS.state }) as unknown as RecordRow);
  }

  gaps(hub: string): RecordGap[] {
    const rows = this.#database.prepare("select value from gaps where hub = ?").all(hub);
    return rows.map(({ value }) => JSON.parse(value as string) as RecordGap);
  }

  #write(hub: string, { place, chain, period, row, gap, mended, listed }: RecordChange): void {
    const run = (sql: string, ...values: (string | number | Uint8Array)[]) =>
      this.#database.prepare(sql).run(...values);
    run("insert or replace into places values (?, ?)", hub, place);
    if (chain) run("insert or replace into chains values (?, ?, ?, ?)", hub, chain.id, chain.link.seq, chain.link.hash);
    if (period) {
      const id = periodId(period.space, period.period);
      run("insert or replace into periods values (?, ?, ?)", hub, id, period.key);
    }
    if (listed) this.#dropUnlisted(hub, listed);
    if (row?.kind === RECORD_KINDS.state)
      run(
        "insert or replace into rows values (?, ?, ?, ?, ?, ?)",
        ...[hub, row.machine, row.stream, row.seq, row.atMs, row.text],
      );
    if (mended)
      run("delete from gaps where hub = ? and stream = ? and value ->> 'kind' = 'behind'", hub, gapId(mended));
    // The last one of each stream.
    if (gap) run("insert or replace into gaps values (?, ?, ?)", hub, gapId(gap), JSON.stringify(gap));
  }

  /** Of a former period, or gone. */
  #dropUnlisted(hub: string, { machine, streams }: NonNullable<RecordChange["listed"]>): void {
    this.#database
      .prepare("delete from rows where hub = ? and machine = ? and stream not in (select value from json_each(?))")
      .run(hub, machine, JSON.stringify([...streams]));
  }
}
