import {
  behindOf,
  gapId,
  periodId,
  type RecordChange,
  type RecordGap,
  type RecordRow,
  type RecordStore,
  type RecordsOfHub,
} from "../../../client/remote/record-store.ts";
import type { Link } from "../../../sealing/chain.ts";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import type { Change, Shelf } from "./shelf.ts";
import { TalkShelf } from "./talk-shelf.ts";

/** The records of each hub: how far they were read, and of what they say the newest state of each unit, and its conversations. Results are the outbox's, which hears them as they come. */
export interface KeptRow extends RecordRow {
  /** By the clock of this device. */
  receivedMs: number;
}

export class RecordShelf implements RecordStore {
  readonly talks: TalkShelf;
  readonly #shelf: Shelf;
  readonly #nowMs: () => number;

  constructor(shelf: Shelf, nowMs: () => number = Date.now) {
    this.#shelf = shelf;
    this.talks = new TalkShelf(shelf);
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
    return { place, chains, periods, behind: behindOf(await this.gaps(hub)) };
  }

  async commit(hub: string, { place, chain, period, row, gap, mended, listed }: RecordChange): Promise<void> {
    const changes: Change[] = [{ table: "reading", key: `${hub}/place`, value: place }];
    if (chain) changes.push({ table: "reading", key: `${hub}/chain/${chain.id}`, value: chain.link });
    if (period) {
      const key = `${hub}/period/${periodId(period.space, period.period)}`;
      changes.push({ table: "reading", key, value: period.key });
    }
    if (listed) changes.push(...(await this.#unlisted(hub, listed)));
    if (row?.kind === RECORD_KINDS.state) {
      const kept: KeptRow = { ...row, receivedMs: this.#nowMs() };
      changes.push({ table: "rows", key: `${hub}/${row.machine}/${row.stream}`, value: kept });
    }
    if (row?.kind === RECORD_KINDS.item) changes.push(...(await this.talks.changesOf(hub, row)));
    if (mended) {
      const key = gapKey(hub, mended);
      const known = await this.#shelf.get<RecordGap>("reading", key);
      if (known?.kind === "behind") changes.push({ table: "reading", remove: key });
    }
    // The last one of each stream: what is shown is that something is missing, and of which machine.
    if (gap) changes.push({ table: "reading", key: gapKey(hub, gap), value: gap });
    await this.#shelf.write(changes);
  }

  async forget(hub: string): Promise<void> {
    await this.#shelf.write([
      { table: "reading", removeUnder: `${hub}/` },
      { table: "rows", removeUnder: `${hub}/` },
      { table: "talks", removeUnder: `${hub}/` },
    ]);
    this.talks.forgotten(`${hub}/`);
  }

  /** What a machine has said at these hubs; how far they were read stays. */
  async forgetMachine(machine: string, hubs: readonly string[]): Promise<void> {
    const places = hubs.map((hub) => `${hub}/${machine}/`);
    await this.#shelf.write(
      places.flatMap((removeUnder): Change[] => [
        { table: "rows", removeUnder },
        { table: "talks", removeUnder },
      ]),
    );
    for (const place of places) this.talks.forgotten(place);
  }

  /** What machines have said of their units, by whatever hub. */
  async rows(): Promise<KeptRow[]> {
    return (await this.#shelf.all<KeptRow>("rows")).map(({ value }) => value);
  }

  /** What is missing, or was told twice, by this hub. */
  async gaps(hub: string): Promise<RecordGap[]> {
    return (await this.#shelf.all<RecordGap>("reading", `${hub}/gap/`)).map(({ value }) => value);
  }

  /** @param ids by {@link gapId} */
  async forgetGaps(hub: string, ids: ReadonlySet<string>): Promise<void> {
    const kept = await this.#shelf.all<RecordGap>("reading", `${hub}/gap/`);
    const over = kept.filter(({ value }) => ids.has(gapId(value)));
    await this.#shelf.write(over.map(({ key }) => ({ table: "reading", remove: key })));
  }

  /** Of a former period, or gone. */
  async #unlisted(hub: string, { machine, streams }: NonNullable<RecordChange["listed"]>): Promise<Change[]> {
    const rows = await this.#shelf.all<KeptRow>("rows", `${hub}/${machine}/`);
    return rows.filter(({ value }) => !streams.has(value.stream)).map(({ key }) => ({ table: "rows", remove: key }));
  }
}

const gapKey = (hub: string, gap: Parameters<typeof gapId>[0]): string => `${hub}/gap/${gapId(gap)}`;
