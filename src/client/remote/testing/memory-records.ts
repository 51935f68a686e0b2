import type { Link } from "../../../sealing/chain.ts";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import type { OutboxItem, OutboxStore } from "../outbox-item.ts";
import {
  behindOf,
  gapId,
  periodId,
  type RecordChange,
  type RecordGap,
  type RecordRow,
  type RecordStore,
  type RecordsOfHub,
} from "../record-store.ts";

/** Thrown by what a device does after it was killed. */
export class Killed extends Error {}

/** Stores without a disk; `beforeWrite` and `afterWrite` are where a test kills the device. */
export class MemoryRecords implements RecordStore {
  readonly #hubs = new Map<string, { place: number; chains: Map<string, Link>; periods: Map<string, Uint8Array> }>();
  #gaps: { hub: string; gap: RecordGap }[] = [];
  rows: RecordRow[] = [];
  beforeWrite: () => void = () => {};
  afterWrite: () => void = () => {};

  /** Of all hubs. */
  get gaps(): RecordGap[] {
    return this.#gaps.map(({ gap }) => gap);
  }

  gapsOf(hub: string): RecordGap[] {
    return this.#gaps.flatMap((one) => (one.hub === hub ? [one.gap] : []));
  }

  load = async (hub: string): Promise<RecordsOfHub> => {
    return structuredClone({ ...this.#of(hub), behind: behindOf(this.gapsOf(hub)) });
  };

  async commit(hub: string, { place, chain, period, row, gap, mended, listed }: RecordChange): Promise<void> {
    this.beforeWrite();
    const known = this.#of(hub);
    known.place = place;
    if (chain) known.chains.set(chain.id, chain.link);
    if (period) known.periods.set(periodId(period.space, period.period), period.key);
    if (row) this.rows.push(row);
    if (mended)
      this.#gaps = this.#gaps.filter(
        (one) => one.hub !== hub || one.gap.kind !== "behind" || gapId(one.gap) !== gapId(mended),
      );
    if (gap) this.#gaps.push({ hub, gap });
    if (listed)
      this.rows = this.rows.filter(
        ({ hub: of, machine, kind, stream }) =>
          of !== hub || machine !== listed.machine || kind !== RECORD_KINDS.state || listed.streams.has(stream),
      );
    this.afterWrite();
  }

  async forget(hub: string): Promise<void> {
    this.#hubs.delete(hub);
    this.#gaps = this.#gaps.filter((one) => one.hub !== hub);
  }

  #of(hub: string) {
    const known = this.#hubs.get(hub) ?? { place: 0, chains: new Map(), periods: new Map() };
    this.#hubs.set(hub, known);
    return known;
  }
}

export class MemoryOutbox implements OutboxStore {
  readonly #items = new Map<string, OutboxItem>();
  readonly #links = new Map<string, Link>();
  beforeWrite: () => void = () => {};
  afterWrite: () => void = () => {};

  items = async (): Promise<OutboxItem[]> => structuredClone([...this.#items.values()]);
  link = async (chain: string): Promise<Link | undefined> => this.#links.get(chain);

  async put(item: OutboxItem, chain?: { id: string; link: Link }): Promise<void> {
    this.beforeWrite();
    this.#items.set(item.id, structuredClone(item));
    if (chain) this.#links.set(chain.id, chain.link);
    this.afterWrite();
  }

  async remove(id: string): Promise<void> {
    this.beforeWrite();
    this.#items.delete(id);
    this.afterWrite();
  }
}
