import {
  periodId,
  type RecordChange,
  type RecordRow,
  type RecordStore,
  type RecordsOfHub,
} from "../../../client/remote/record-store.ts";
import type { Link } from "../../../sealing/chain.ts";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import type { Change, Shelf } from "./shelf.ts";

/** The records of each hub: how far they were read, and of what they say the newest state of each unit. Results are the outbox's, which hears them as they come. */
export interface KeptRow extends RecordRow {
  /** By the clock of this device. */
  receivedMs: number;
}

export class RecordShelf implements RecordStore {
  readonly #shelf: Shelf;
  readonly #nowMs: () => number;

  constructor(shelf: Shelf, nowMs: () => number = Date.now) {
    this.#shelf = shelf;
    this.#nowMs = nowMs;
  }

  async load(hub: string): Promise<RecordsOfHub> {
    const under = `${hub}/`;
    const chains = new Map<string, Link>();
    const periods = new Map<string, Uint8Array>();
    let place = 0;
    for (const { key, value } of await this.#shelf.all("reading", under)) {
      const [, what, ...rest] = key.split("/");
      if (what === "place") place = value as number;
      else if (what === "chain") chains.set(rest.join("/"), value as Link);
      else if (what === "period") periods.set(rest.join("/"), value as Uint8Array);
    }
    return { place, chains, periods };
  }

  commit(hub: string, { place, chain, period, row, gap }: RecordChange): Promise<void> {
    const changes: Change[] = [{ table: "reading", key: `${hub}/place`, value: place }];
    if (chain) changes.push({ table: "reading", key: `${hub}/chain/${chain.id}`, value: chain.link });
    if (period) {
      const key = `${hub}/period/${periodId(period.space, period.period)}`;
      changes.push({ table: "reading", key, value: period.key });
    }
    if (row?.kind === RECORD_KINDS.state) {
      const kept: KeptRow = { ...row, receivedMs: this.#nowMs() };
      changes.push({ table: "rows", key: `${hub}/${row.machine}/${row.stream}`, value: kept });
    }
    // The last one of each stream: what is shown is that something is missing, and of which machine.
    if (gap) changes.push({ table: "reading", key: `${hub}/gap/${"stream" in gap ? gap.stream : ""}`, value: gap });
    return this.#shelf.write(changes);
  }

  forget(hub: string): Promise<void> {
    return this.#shelf.write([
      { table: "reading", removeUnder: `${hub}/` },
      { table: "rows", removeUnder: `${hub}/` },
    ]);
  }

  /** What machines have said of their units, by whatever hub. */
  async rows(): Promise<KeptRow[]> {
    return (await this.#shelf.all<KeptRow>("rows")).map(({ value }) => value);
  }
}
