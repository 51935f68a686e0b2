import { isWarrenError } from "../../protocol/errors.ts";
import { fromHex, toHex } from "../../sealing/bytes.ts";
import { type Link, NO_LINK } from "../../sealing/chain.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { decodeHeads, type StreamHead } from "../../sealing/heads.ts";
import { openPeriod, PERIOD_STREAM } from "../../sealing/period.ts";
import { decodeRecord, isSigned, RECORD_KINDS, type RecordHead, type SealedRecord } from "../../sealing/record.ts";
import { type Refusal, takeRecord } from "../../sealing/take.ts";
import { HeadLists } from "./head-lists.ts";
import { LockedPeriods } from "./locked-periods.ts";
import {
  type Behind,
  gapId,
  periodId,
  type RecordChange,
  type RecordGap,
  type RecordRow,
  type RecordStore,
  type RecordsOfHub,
} from "./record-store.ts";
import type { DeviceKeys, MachineEntry } from "./world.ts";

/**
 * Reads the records that one hub has for this device, in the order of the hub's places.
 *
 * 1. A record is taken only when it opens: of a machine that has joined, at its own space of this hub, signed by it, in its place in its chain.
 * 2. What is taken, its link and the cursor are written together; a device that is killed at any moment goes on where its store stands. Whoever waits for
 *    a result has it on disk before: what is killed between the two reads it once more.
 * 3. What is missing is told and kept as a gap; nothing is passed over in silence, and nothing that a hub sends throws.
 * 4. A list of heads may name a state that was replaced since, whose successor comes behind it: what a list has more of is behind when all that waited at the
 *    hub has been read; and is so no more when it comes after all.
 * 5. A record of the machine's in a newer period than those whose keys have come says that the period's own record is missing, and with it all that it opens.
 *    Who has no key at all has just joined, and reads first of what is not for it: it says so when all that waited has been read.
 */
export interface RecordReaderOptions {
  hub: string;
  /** This device's key at the hub. */
  loginKey: Uint8Array;
  keys: DeviceKeys;
  store: RecordStore;
  crypto: SealingCrypto;
  machines(): readonly MachineEntry[];
  /** Up to here everything is in the store. */
  took(place: number): void;
  events: RecordReaderEvents;
}

export interface RecordReaderEvents {
  onRow(row: RecordRow): void;
  /** A result, before it counts as read. Rejects: it could not be kept, and comes again. */
  onResult?(row: RecordRow): Promise<void>;
  /** There is a newer key of this machine, under which something can be sealed for it. */
  onPeriod?(machine: string): void;
  onGap(gap: RecordGap): void;
  /** A `behind` of this stream counts no more. */
  onMended?(mended: { machine: string; stream: string }): void;
  /** The machine's newest list: its units in other streams are gone. */
  onListed?(listed: { machine: string; streams: ReadonlySet<string> }): void;
  /** The machine has begun a period of which this device has no key: its own word that it lets it in no more. False: it has one again. */
  onExcluded?(machine: string, isExcluded: boolean): void;
  /** A record that is not taken, and why: counted and shown, never acted on. */
  onRefused(why: Refusal | "other_machine" | "other_hub" | "not_for_us", machine: string | undefined): void;
}

interface Place {
  machine: MachineEntry;
  space: string;
}

export class RecordReader {
  readonly #options: RecordReaderOptions;
  readonly #chains: Map<string, Link>;
  readonly #periods: Map<string, Uint8Array>;
  readonly #lists = new HeadLists();
  readonly #locked = new LockedPeriods();
  /** By {@link gapId}: of what was told that it is behind. */
  readonly #told: Map<string, Behind>;
  /** By space: the newest period that is not for this device; and whether that was told. */
  readonly #excluded = new Map<string, { period: number; isTold: boolean }>();
  #place: number;
  #isOver = false;
  /** Over when all that was begun is: a floor and a record may be written at the same time. */
  #writing: Promise<void> | undefined;
  /** What waited at the hub when it let us in ends here. */
  #head = 0;

  static async open(options: RecordReaderOptions): Promise<RecordReader> {
    return new RecordReader(options, await options.store.load(options.hub));
  }

  private constructor(options: RecordReaderOptions, { place, chains, periods, behind }: RecordsOfHub) {
    this.#options = options;
    this.#place = place;
    this.#chains = new Map(chains);
    this.#periods = new Map(periods);
    this.#told = new Map(behind.map((gap) => [gapId(gap), gap]));
  }

  /** The cursor for the next login. */
  get place(): number {
    return this.#place;
  }

  /** All that waited at the hub when it let us in. */
  get hasRead(): boolean {
    return this.#place >= this.#head;
  }

  /** Its hub is none of this device's any more: nothing is written when it resolves, and nothing will be, whatever is being read. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  /** The newest period of a space, whose key seals what this device sends. */
  newestPeriod(space: string): { period: number; key: Uint8Array } | undefined {
    let newest: { period: number; key: Uint8Array } | undefined;
    for (const [id, key] of this.#periods) {
      const [of, number] = id.split("/");
      const period = Number(number);
      if (of === space && (newest === undefined || period > newest.period)) newest = { period, key };
    }
    return newest;
  }

  /** What the hub's welcome says that was missed. */
  async missed(missed: { head: number; floor: number } | undefined): Promise<void> {
    this.#head = missed?.head ?? 0;
    if (missed === undefined) return;
    const { head, floor } = missed;
    // Of a place that the hub does not know to have given: what it gives now would be below it, and is read from the first on.
    const place = head < this.#place ? 0 : this.#place;
    if (place !== this.#place || floor > place) await this.#commit({ place, gap: { kind: "floor", place: floor } });
  }

  /** The next of the hub's records; one after the other. */
  async read(place: number, bytes: Uint8Array): Promise<void> {
    if (place <= this.#place) return this.#options.took(place); // the hub repeats
    const space = spaceOf(bytes);
    if (this.#isForeign(space)) return this.#options.events.onRefused("other_hub", undefined);
    const change = await this.#change(bytes, space);
    const gap = change.gap ?? this.#behind(place, change);
    await this.#commit({ ...change, ...(gap ? { gap } : {}), place });
    if (this.#isOver) return;
    this.#tellExcluded();
    this.#options.took(place);
  }

  async #change(bytes: Uint8Array, space: string | undefined): Promise<Omit<RecordChange, "place">> {
    const { crypto, events } = this.#options;
    const machine = space === undefined ? undefined : this.#machineAt(space);
    if (!machine) {
      events.onRefused("other_machine", undefined);
      return {};
    }
    const where = { machine, space: space! };
    const taken = await takeRecord(crypto, this.#reading(where), bytes);
    switch (taken.kind) {
      case "dropped":
        return {};
      case "refused":
        events.onRefused(taken.why, where.machine.id);
        if (taken.why === "unknown_period") await this.#sawLocked(where, decodeRecord(bytes));
        return {};
      case "stuck": {
        const { record, step, text } = taken;
        const gap = { ...step, machine: where.machine.id, stream: toHex(record.stream) };
        // Each item says itself what it follows: what came after what is missing is shown, with the hole.
        if (record.kind !== RECORD_KINDS.item || step.kind !== "gap") return { gap };
        const chain = { id: chainId(record), link: taken.link };
        return { gap, chain, ...(await this.#contentOf(where, record, text.slice())) };
      }
      case "taken": {
        const chain = { id: chainId(taken.record), link: taken.link };
        const stream = { machine: where.machine.id, stream: toHex(taken.record.stream) };
        const isMended = taken.link.seq >= (this.#told.get(gapId(stream))?.seq ?? Infinity);
        const mended = isMended ? { mended: stream } : {};
        return { chain, ...mended, ...(await this.#contentOf(where, taken.record, taken.text.slice())) };
      }
    }
  }

  async #contentOf(where: Place, record: SealedRecord, text: Uint8Array): Promise<Omit<RecordChange, "place">> {
    const { hub } = this.#options;
    if (record.kind === RECORD_KINDS.period) return this.#period(where, record, text);
    if (record.kind === RECORD_KINDS.head) return this.#heads(where, record, text);
    const { kind, seq, atMs } = record;
    const stream = toHex(record.stream);
    return { row: { hub, machine: where.machine.id, kind, stream, seq, atMs, text } };
  }

  async #period(where: Place, { space, period }: SealedRecord, text: Uint8Array): Promise<Omit<RecordChange, "place">> {
    const { crypto, hub, loginKey, keys, events } = this.#options;
    const context = { hub: fromHex(hub)!, space, period };
    try {
      const key = await openPeriod(crypto, { context, text, loginKey, own: keys.exchange });
      return { period: { space: where.space, period, key } };
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      events.onRefused("not_for_us", where.machine.id);
      const { isTold = false } = this.#excluded.get(where.space) ?? {};
      this.#excluded.set(where.space, { period, isTold });
      return {};
    }
  }

  async #sawLocked({ machine, space }: Place, record: SealedRecord): Promise<void> {
    const { crypto, hub } = this.#options;
    const isKnown = record.period <= this.#opened(space) || this.#told.has(gapId(periodsOf(machine)));
    if (isKnown) return;
    const isTrue = await isSigned(crypto, { record, hub: fromHex(hub)!, signerKey: fromHex(machine.id)! });
    if (isTrue) this.#locked.saw(space, record.period);
  }

  /** The newest period of which it knows the key, or that it is not for this device: who is let in no more knows why. */
  #opened(space: string): number {
    return Math.max(this.newestPeriod(space)?.period ?? 0, this.#excluded.get(space)?.period ?? 0);
  }

  #heads(where: Place, record: SealedRecord, text: Uint8Array): Omit<RecordChange, "place"> {
    const { id: machine } = where.machine;
    let heads: readonly StreamHead[] | undefined;
    try {
      heads = this.#lists.take(where.space, decodeHeads(text));
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      this.#options.events.onRefused("form", machine);
    }
    if (!heads) return {};
    this.#lists.note(where.space, heads, {
      chainOf: (stream) => chainId({ ...record, stream }),
      known: (chain) => this.#chains.get(chain) ?? NO_LINK,
    });
    return { listed: { machine, streams: new Set(heads.map(({ stream }) => toHex(stream))) } };
  }

  /** When all that waited has been read: a device that comes back to a machine reads of the time without it first. */
  #tellExcluded(): void {
    const { onExcluded } = this.#options.events;
    if (this.#place < this.#head) return;
    for (const [space, { period, isTold }] of [...this.#excluded]) {
      const machine = this.#machineAt(space);
      const isExcluded = period > (this.newestPeriod(space)?.period ?? 0);
      if (isExcluded) this.#excluded.set(space, { period, isTold: true });
      else this.#excluded.delete(space);
      if (machine && isExcluded !== isTold) onExcluded?.(machine.id, isExcluded);
    }
  }

  /** The first that nobody was told of; the others are found with the next records. */
  #behind(place: number, { chain: taken, period }: Omit<RecordChange, "place">): Behind | undefined {
    const isCaughtUp = place >= this.#head;
    const known = (chain: string): Link => (chain === taken?.id ? taken.link : this.#chains.get(chain)) ?? NO_LINK;
    const opened = (space: string): number =>
      Math.max(this.#opened(space), period?.space === space ? period.period : 0);
    for (const { space, stream, seq } of [
      ...this.#lists.late(isCaughtUp, known),
      ...this.#locked.late(isCaughtUp, opened),
    ]) {
      const machine = this.#machineAt(space);
      const gap: Behind | undefined = machine && { kind: "behind", machine: machine.id, stream, seq };
      if (!gap || this.#told.has(gapId(gap))) continue;
      this.#told.set(gapId(gap), gap);
      return gap;
    }
    return undefined;
  }

  #reading({ machine, space }: Place) {
    return {
      hub: fromHex(this.#options.hub)!,
      space: fromHex(space)!,
      // A machine is known in its space by the key that names it.
      senderOf: (loginKey: Uint8Array) =>
        toHex(loginKey) === space ? { signerKey: fromHex(machine.id)!, isMachine: true } : undefined,
      periodKeyOf: (period: number) => this.#periods.get(periodId(space, period)),
      linkOf: (record: RecordHead) => this.#chains.get(chainId(record)) ?? NO_LINK,
    };
  }

  /** Of a machine's space at another hub: this one gives it no place of its own, and what it says of what has been read is not true. */
  #isForeign(space: string | undefined): boolean {
    if (space === undefined || this.#machineAt(space)) return false;
    return this.#options.machines().some(({ spaces }) => Object.values(spaces).some((one) => toHex(one) === space));
  }

  #machineAt(space: string): MachineEntry | undefined {
    const { machines, hub } = this.#options;
    return machines().find(({ spaces }) => spaces[hub] !== undefined && toHex(spaces[hub]) === space);
  }

  async #commit(change: RecordChange): Promise<void> {
    const { store, hub, events } = this.#options;
    if (change.row?.kind === RECORD_KINDS.result) await events.onResult?.(change.row);
    if (this.#isOver) return;
    const written = store.commit(hub, change);
    this.#writing = Promise.allSettled([this.#writing, written]).then(() => {});
    await written;
    if (this.#isOver) return;
    this.#place = change.place;
    if (change.chain) this.#chains.set(change.chain.id, change.chain.link);
    if (change.period) this.#periods.set(periodId(change.period.space, change.period.period), change.period.key);
    if (change.row) events.onRow(change.row);
    const machine = change.period && this.#machineAt(change.period.space);
    if (machine) events.onPeriod?.(machine.id);
    if (change.gap) events.onGap(change.gap);
    if (change.mended) {
      this.#told.delete(gapId(change.mended));
      events.onMended?.(change.mended);
    }
    if (change.listed) events.onListed?.(change.listed);
  }
}

/** Undefined: it is no record, or one of a newer kind. */
function spaceOf(bytes: Uint8Array): string | undefined {
  try {
    return toHex(decodeRecord(bytes).space);
  } catch {
    return undefined;
  }
}

const periodsOf = ({ id }: MachineEntry) => ({ machine: id, stream: toHex(PERIOD_STREAM) });

const chainId = ({ space, stream, sender }: Pick<RecordHead, "space" | "stream" | "sender">): string =>
  `${toHex(space)}/${toHex(stream)}/${toHex(sender)}`;
