import { isWarrenError, toWire, type WireError } from "../../protocol/errors.ts";
import { fromHex, toHex } from "../../sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../../sealing/chain.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { namesKey, streamId } from "../../sealing/period.ts";
import { RECORD_KINDS, recordHash, sealRecord } from "../../sealing/record.ts";
import {
  type Approval,
  encodeJson,
  REQUEST_LIFE_MS_MAX,
  type RemoteResult,
  requestHash,
} from "../../sealing/request.ts";
import { itemMissing, itemSent } from "./errors.ts";
import { isSettled, type OutboxItem, type OutboxState, type OutboxStore } from "./outbox-item.ts";
import type { RemoteClock } from "./world.ts";

/**
 * What this device has asked for, until it is known what became of it. To a machine that is there it goes live; to one that is away as a sealed record,
 * by the first of its hubs that is connected.
 *
 * 1. Nothing is lost: an item is in the store before `add` resolves, and each step is written down before it is taken.
 * 2. Once per id: what may have arrived goes again under the same id, and as the same record; the machine carries it out once.
 * 3. In order, for each machine: no item is sent before those that were added earlier.
 * 4. A record that was sealed reaches its hub, whatever becomes of its item: the next one of the chain names it.
 */
export interface OutboxOptions {
  store: OutboxStore;
  signer: SigningKey;
  crypto: SealingCrypto;
  clock: RemoteClock;
  ways: OutboxWays;
  onChange?(item: OutboxItem): void;
}

/** How to reach machines; see `Coordinator`. */
export interface OutboxWays {
  /** A live session is to be had. */
  isThere(machine: string): boolean;
  /** Live, under the item's id. @throws what the machine says; CONNECTION_LOST, MACHINE_AWAY: it is to be tried again */
  ask(item: OutboxItem): Promise<unknown>;
  /** Where a record for the machine can be left now, the best first. */
  places(machine: string): SealedPlace[];
  /** Undefined: the hub is not connected. */
  putAt(hub: string): ((record: Uint8Array) => Promise<void>) | undefined;
}

export interface SealedPlace {
  hub: string;
  space: Uint8Array;
  loginKey: Uint8Array;
  period: number;
  periodKey: Uint8Array;
}

export interface NewItem {
  machine: string;
  unit?: string;
  type: string;
  payload: Record<string, unknown>;
  approval?: Approval;
  /** Default and most: a week. */
  lifeMs?: number;
}

/** The name of a device's requests among a period's streams. */
const REQUESTS = "requests";
/** After its way was lost an item waits so long, doubled each time, up to the most; a machine or hub that comes shortens it. */
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 30_000;
/** A deadline that has passed while its machine was asked is looked at again. */
const DEADLINE_STEP_MS = 1_000;

/** The way was lost, and what was asked may have been done; that it is refused is no more than a hub's word. */
const LOST: ReadonlySet<string> = new Set([
  "CONNECTION_LOST",
  "MACHINE_AWAY",
  "DEVICE_REFUSED",
  "TIMEOUT",
  "CLOSED",
  "ABORTED",
  "NO_SERVER",
]);

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #items = new Map<string, OutboxItem>();
  /** By machine: what is being done, and whether there is more. */
  readonly #pumping = new Map<string, { again: boolean; over: Promise<void> }>();
  /** One change after another: nobody edits what is just being sent. */
  #last: Promise<unknown> = Promise.resolve();
  #cancelDeadline: (() => void) | undefined;
  /** By machine: how long was waited last, and what takes the next try back. */
  readonly #retries = new Map<string, { delayMs: number; cancel: () => void }>();
  #isClosed = false;

  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    for (const item of await options.store.items()) outbox.#items.set(item.id, item);
    return outbox;
  }

  private constructor(options: OutboxOptions) {
    this.#options = options;
  }

  items(): OutboxItem[] {
    return [...this.#items.values()];
  }

  /** What would be lost with these machines. */
  unsentOf(machines: ReadonlySet<string>): OutboxItem[] {
    return this.items().filter((item) => machines.has(item.machine) && !isSettled(item));
  }

  /** In the store when it resolves. */
  async add({ lifeMs = REQUEST_LIFE_MS_MAX, ...wanted }: NewItem): Promise<OutboxItem> {
    const { crypto, clock } = this.#options;
    const createdMs = clock.wallMs();
    const deadlineMs = createdMs + Math.min(lifeMs, REQUEST_LIFE_MS_MAX);
    const item: OutboxItem = {
      ...wanted,
      id: toHex(crypto.random(16)),
      createdMs,
      deadlineMs,
      state: { kind: "queued" },
    };
    await this.#change(item.id, () => ({ item }));
    this.flush(item.machine).catch(() => {}); // it is in the store, and goes with the next change
    return item;
  }

  /** @throws ITEM_NOT_FOUND; ITEM_SENT: it may have arrived */
  async edit(id: string, payload: Record<string, unknown>): Promise<void> {
    await this.#change(id, (now) => ({ item: { ...queued(id, now), payload } }));
  }

  /** Takes back what is queued, and forgets what is settled. @throws ITEM_NOT_FOUND, ITEM_SENT */
  async remove(id: string): Promise<void> {
    await this.#inTurn(async () => {
      const now = this.#items.get(id);
      const isOver = now !== undefined && isSettled(now) && now.sealed?.isPut !== false;
      if (!isOver) queued(id, now);
      await this.#options.store.remove(id);
      this.#items.delete(id);
    });
  }

  /** Of machines that are removed: the caller has said what is unsent. */
  async drop(machines: ReadonlySet<string>): Promise<void> {
    await this.#inTurn(async () => {
      for (const { id, machine } of this.items()) {
        if (!machines.has(machine)) continue;
        await this.#options.store.remove(id);
        this.#items.delete(id);
      }
    });
  }

  /** The machine, or a hub of it, may be there now. Resolves when there is nothing to do for the moment. */
  flush(machine: string): Promise<void> {
    const running = this.#pumping.get(machine);
    if (running) {
      running.again = true;
      return running.over;
    }
    const state = { again: true, over: Promise.resolve() };
    this.#pumping.set(machine, state);
    state.over = this.#pumpAll(machine, state);
    return state.over;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelDeadline?.();
    for (const { cancel } of this.#retries.values()) cancel();
  }

  #watchDeadlines(): void {
    this.#cancelDeadline?.();
    const next = this.items()
      .filter((item) => !isSettled(item))
      .sort((a, b) => a.deadlineMs - b.deadlineMs)[0];
    if (!next || this.#isClosed) return;
    const { clock } = this.#options;
    const leftMs = Math.max(DEADLINE_STEP_MS, next.deadlineMs - clock.wallMs());
    this.#cancelDeadline = clock.timer(leftMs, () => void this.flush(next.machine).catch(() => {}));
  }

  /** A machine's record of kind 4. Another machine's, or one of a request that was not asked, is nothing. */
  async onResult(machine: string, { request, id, result, error }: RemoteResult): Promise<void> {
    const item = this.#items.get(id);
    if (!item || item.machine !== machine || item.sealed?.hash !== request) return;
    await this.#become(id, error ? { kind: "failed", error: error as WireError } : { kind: "done", result });
  }

  async #pumpAll(machine: string, state: { again: boolean }): Promise<void> {
    try {
      while (state.again) {
        state.again = false;
        // At once again, whatever was heard meanwhile, would be for ever, as fast as a hub or a machine can refuse.
        if (!(await this.#pump(machine))) return this.#tryLater(machine);
      }
    } finally {
      this.#pumping.delete(machine); // in the same turn as the last look at `again`
      this.#watchDeadlines();
    }
  }

  #tryLater(machine: string): void {
    if (this.#isClosed) return;
    const before = this.#retries.get(machine);
    before?.cancel();
    const delayMs = before ? Math.min(RETRY_MOST_MS, 2 * before.delayMs) : RETRY_FIRST_MS;
    const cancel = this.#options.clock.timer(delayMs, () => void this.flush(machine).catch(() => {}));
    this.#retries.set(machine, { delayMs, cancel });
  }

  /** False: the way was lost. */
  async #pump(machine: string): Promise<boolean> {
    await this.#putOwed(machine);
    for (const { id } of this.#of(machine)) {
      const item = this.#items.get(id);
      if (!item || isSettled(item)) continue;
      if (this.#options.clock.wallMs() >= item.deadlineMs) await this.#become(id, { kind: "expired" });
      else if (this.#options.ways.isThere(machine)) {
        if (!(await this.#live(id))) return false;
        this.#retries.get(machine)?.cancel();
        this.#retries.delete(machine);
      } else if (item.state.kind !== "delivered" && !(await this.#leave(item))) return true;
    }
    return true;
  }

  #of(machine: string): OutboxItem[] {
    return this.items().filter((item) => item.machine === machine);
  }

  /** False: the way was lost, and those behind it wait too. */
  async #live(id: string): Promise<boolean> {
    const sent = await this.#change(id, (now) => {
      if (!now || isSettled(now)) return undefined;
      return { item: now.state.kind === "delivered" ? now : { ...now, state: { kind: "sent" } } };
    });
    if (!sent) return true;
    try {
      await this.#become(id, { kind: "done", result: await this.#options.ways.ask(sent) });
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      if (LOST.has(error.code)) return false;
      await this.#become(id, { kind: "failed", error: toWire(error, error.code) });
    }
    return true;
  }

  /** Seals it, once, and leaves it at a hub. False: there is none now. */
  async #leave(item: OutboxItem): Promise<boolean> {
    // What waits at a hub is in order there alone: those behind it go the same way.
    const waiting = this.#of(item.machine).findLast(
      (other) => other.sealed && !isSettled(other) && other.id !== item.id,
    );
    const place = this.#options.ways
      .places(item.machine)
      .find(({ hub }) => waiting === undefined || hub === waiting.sealed?.hub);
    if (!item.sealed && !place) return false;
    const sealed = await this.#change(item.id, async (now) => {
      if (!now || isSettled(now)) return undefined;
      return now.sealed || !place ? { item: now } : this.#sealed(now, place);
    });
    return sealed === undefined || this.#put(sealed);
  }

  async #sealed(item: OutboxItem, place: SealedPlace): Promise<Change> {
    const { crypto, clock, signer, store } = this.#options;
    const { id, machine, unit, type, payload, approval, createdMs, deadlineMs } = item;
    const text = encodeJson({
      id,
      target: { machine, ...(unit === undefined ? {} : { unit }) },
      type,
      payload,
      deadline_ms: deadlineMs,
      // A clock that was put back since would make its life look longer than any may be.
      sent_ms: Math.max(clock.wallMs(), createdMs),
      ...(approval === undefined ? {} : { approval }),
    });
    const stream = await streamId(crypto, await namesKey(crypto, place.periodKey), REQUESTS);
    const chain = `${place.hub}/${toHex(place.space)}/${toHex(stream)}`;
    const head = {
      kind: RECORD_KINDS.request,
      space: place.space,
      stream,
      sender: place.loginKey,
      period: place.period,
      ...nextIn((await store.link(chain)) ?? NO_LINK),
      atMs: clock.wallMs(),
    };
    const keys = { hub: fromHex(place.hub)!, periodKey: place.periodKey };
    const record = await sealRecord(crypto, { head, text, keys, signer });
    const hash = await requestHash(crypto, text);
    const sealed = { hub: place.hub, bytes: record.bytes, seq: head.seq, hash, isPut: false };
    const link = { seq: head.seq, hash: await recordHash(crypto, record) };
    return { item: { ...item, state: { kind: "sent" }, sealed }, chain: { id: chain, link } };
  }

  /** The same record again is the same to the hub. False: not now. */
  async #put(item: OutboxItem): Promise<boolean> {
    const { sealed } = item;
    if (!sealed || sealed.isPut) return true;
    const put = this.#options.ways.putAt(sealed.hub);
    if (!put) return false;
    try {
      await put(sealed.bytes);
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      return false; // full, or gone: it is tried again with the next change
    }
    await this.#change(item.id, (now) => {
      if (!now) return undefined;
      const state: OutboxState = isSettled(now) ? now.state : { kind: "delivered" };
      return { item: { ...now, state, sealed: { ...sealed, isPut: true } } };
    });
    return true;
  }

  /** Records of items that were settled another way, in the order of their chain. */
  async #putOwed(machine: string): Promise<void> {
    for (const item of this.#of(machine)) {
      if (!item.sealed || item.sealed.isPut || !isSettled(item)) continue;
      if (!(await this.#put(item))) return;
    }
  }

  /** Once: what is settled stays so. */
  async #become(id: string, state: OutboxState): Promise<void> {
    await this.#change(id, (now) => (now && !isSettled(now) ? { item: { ...now, state } } : undefined));
  }

  /** `make` is given what the item is in its turn, and answers undefined to change nothing. */
  #change(
    id: string,
    make: (now: OutboxItem | undefined) => Change | undefined | Promise<Change | undefined>,
  ): Promise<OutboxItem | undefined> {
    return this.#inTurn(async () => {
      const change = await make(this.#items.get(id));
      if (!change) return undefined;
      await this.#options.store.put(change.item, change.chain);
      this.#items.set(id, change.item);
      this.#options.onChange?.(change.item);
      return change.item;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

interface Change {
  item: OutboxItem;
  chain?: { id: string; link: Link };
}

/** @throws ITEM_NOT_FOUND, ITEM_SENT */
function queued(id: string, item: OutboxItem | undefined): OutboxItem {
  if (!item) throw itemMissing(id);
  if (item.state.kind !== "queued") throw itemSent(id);
  return item;
}
