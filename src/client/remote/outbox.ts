import type { RemoteClock } from "../../contact/network.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { isWarrenError, toWire, type WarrenError, type WireError } from "../../protocol/errors.ts";
import { toHex, utf8 } from "../../sealing/bytes.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { REQUEST_LIFE_MS_MAX, type RemoteResult } from "../../sealing/request.ts";
import { itemMissing, itemSent } from "./errors.ts";
import { isSettled, type OutboxItem, type OutboxState, type OutboxStore } from "./outbox-item.ts";
import { askedOf, type Change, madeAnew, type SealedPlace, sealedOf, settled } from "./outbox-request.ts";

/**
 * What this device has asked for, until it is known what became of it. To a machine that is there it goes live; to one that is away as a sealed record,
 * by the first of its hubs that is connected.
 *
 * 1. Nothing is lost: an item is in the store before `add` resolves, and each step is written down before it is taken.
 * 2. Once per id: what may have arrived goes again under the same id, by whatever way; the machine's book carries it out once.
 * 3. In order, for each machine: items are numbered as they go, and each names the one before it that is open. The machine refuses what comes without
 *    that one; then all that is open is made anew, and goes again in order. So nothing that a hub drops or keeps back lets a later item overtake.
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
  /** Live, as a request's text. @throws what has kept it from being answered: it is to be tried again */
  ask(machine: string, text: Uint8Array): Promise<RemoteResult>;
  /** It lets this device in no more, as far as is known. */
  refusal?(machine: string): WarrenError | undefined;
  /** Where a record for the machine can be left now, the best first. */
  places(machine: string): SealedPlace[];
  /** Undefined: the hub is not connected. */
  putAt(hub: string): ((record: Uint8Array) => Promise<void>) | undefined;
}

export interface NewItem extends Pick<OutboxItem, "machine" | "unit" | "type" | "payload" | "what" | "approval"> {
  /** Default and most: a week. */
  lifeMs?: number;
}

/** After its way was lost an item waits so long, doubled each time, up to the most; a machine or hub that comes shortens it. */
const RETRY = { firstMs: 250, maxMs: 30_000, random: () => 0 }; // nobody else waits with it
/** Of a machine that waits for what was asked before. */
const BEFORE_MISSING = "REQUEST_BEFORE_MISSING";
/** A deadline that has passed while its machine was asked is looked at again. */
const DEADLINE_STEP_MS = 1_000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #items = new Map<string, OutboxItem>();
  /** By machine: what is being done, and whether there is more. */
  readonly #pumping = new Map<string, { again: boolean; over: Promise<void> }>();
  /** One change after another: nobody edits what is just being sent. */
  #last: Promise<unknown> = Promise.resolve();
  #cancelDeadline: (() => void) | undefined;
  /** By machine; `cancel` takes the next try back. */
  readonly #retries = new Map<string, { backoff: Backoff; cancel: () => void }>();
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
    return [...this.#items.values()].map((item) => this.#shown(item));
  }

  /** What waits for this machine waits for something else now. */
  tellOf(machine: string): void {
    const { onChange } = this.#options;
    for (const item of this.#of(machine)) if (!isSettled(item)) onChange?.(this.#shown(item));
  }

  #shown(item: OutboxItem): OutboxItem {
    const refusal = isSettled(item) ? undefined : this.#options.ways.refusal?.(item.machine);
    return refusal ? { ...item, held: toWire(refusal, refusal.code) } : item;
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

  /** A machine's record of kind 4. Another machine's, or one of a text that is not the item's, is nothing. */
  async onResult(machine: string, result: RemoteResult): Promise<void> {
    const item = this.#items.get(result.id);
    if (item?.machine !== machine || item.sealed?.hash !== result.request) return;
    if (!(await this.#onAnswer(item, result))) return this.#tryLater(machine);
    this.#isAnswered(machine);
    this.flush(machine).catch(() => {}); // what has waited behind it
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
    const backoff = before?.backoff ?? new Backoff(RETRY);
    const cancel = this.#options.clock.timer(backoff.nextMs(), () => void this.flush(machine).catch(() => {}));
    this.#retries.set(machine, { backoff, cancel });
  }

  /** False: the way was lost, or something has to go again. */
  async #pump(machine: string): Promise<boolean> {
    let isFirst = true; // of those that are open
    for (const { id } of this.#of(machine)) {
      const item = this.#items.get(id);
      if (!item || isSettled(item)) continue;
      if (this.#options.clock.wallMs() >= item.deadlineMs) await this.#become(id, { kind: "expired" });
      else if (isFirst && this.#options.ways.isThere(machine)) {
        if (!(await this.#live(id))) return false;
      } else {
        isFirst = false; // what is behind it cannot go live
        if (!(await this.#leave(item))) return true;
      }
    }
    return true;
  }

  #of(machine: string): OutboxItem[] {
    return [...this.#items.values()].filter((item) => item.machine === machine);
  }

  /** False: the way was lost, or it has to be asked again; those behind it wait too. */
  async #live(id: string): Promise<boolean> {
    const sent = await this.#change(id, async (now) => {
      if (!now || isSettled(now)) return undefined;
      const change = await askedOf(now, this.#openBefore(now), this.#options);
      return now.state.kind === "delivered" ? change : { ...change, item: { ...change.item, state: { kind: "sent" } } };
    });
    if (!sent) return true;
    let result: RemoteResult;
    try {
      result = await this.#options.ways.ask(sent.machine, utf8(sent.asked!.text));
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      return false;
    }
    if (result.id !== id || !(await this.#onAnswer(sent, result))) return false;
    this.#isAnswered(sent.machine);
    return true;
  }

  /** False: the machine waits for one before it, so that it and all others have to go again. */
  async #onAnswer({ id, machine }: OutboxItem, { result, error }: RemoteResult): Promise<boolean> {
    if (error?.code !== BEFORE_MISSING) {
      await this.#become(id, error ? { kind: "failed", error: error as WireError } : { kind: "done", result });
      return true;
    }
    for (const item of this.#of(machine)) await this.#change(item.id, (now) => now && madeAnew(now));
    return false;
  }

  #isAnswered(machine: string): void {
    this.#retries.get(machine)?.cancel();
    this.#retries.delete(machine);
  }

  /** Seals it, once for each hub, and leaves it there. False: there is none now. */
  async #leave(item: OutboxItem): Promise<boolean> {
    const place = this.#placeFor(item);
    const isThere = item.sealed !== undefined && (place === undefined || place.hub === item.sealed.hub);
    if (isThere && item.sealed!.isPut) return true;
    if (!place && !isThere) return false;
    const asked = await this.#change(item.id, (now) =>
      now && !isSettled(now) ? askedOf(now, this.#openBefore(now), this.#options) : undefined,
    );
    const sealed = await this.#change(item.id, async (now) => {
      if (!asked || !now || isSettled(now)) return undefined;
      return isThere || !place ? { item: now } : sealedOf(now, place, this.#options);
    });
    return sealed === undefined || this.#put(sealed);
  }

  /** What waits at a hub is best in order there; where that one is away, all of it goes to another. */
  #placeFor({ machine }: OutboxItem): SealedPlace | undefined {
    const places = this.#options.ways.places(machine);
    const waiting = this.#of(machine).findLast((item) => item.sealed && !isSettled(item));
    return places.find(({ hub }) => hub === waiting?.sealed?.hub) ?? places[0];
  }

  /** The number of the last one before it that is open; all of these have gone before it goes. */
  #openBefore({ id, machine }: OutboxItem): number {
    const all = this.#of(machine);
    const before = all.slice(
      0,
      all.findIndex((item) => item.id === id),
    );
    return before.findLast((item) => !isSettled(item))?.asked?.number ?? 0;
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
      const isSame = now?.sealed?.hub === sealed.hub && now.sealed.seq === sealed.seq;
      if (!isSame || isSettled(now)) return undefined;
      return { item: { ...now, state: { kind: "delivered" }, sealed: { ...sealed, isPut: true } } };
    });
    return true;
  }

  /** Once: what is settled stays so. But that nobody has said what became of it holds until somebody does: its answer may have waited at a hub. */
  async #become(id: string, state: OutboxState): Promise<void> {
    const isOpen = (now: OutboxItem): boolean =>
      !isSettled(now) || (now.state.kind === "expired" && state.kind !== "expired");
    await this.#change(id, (now) => (now && isOpen(now) ? { item: settled(now, state) } : undefined));
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
      this.#options.onChange?.(this.#shown(change.item));
      return change.item;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** @throws ITEM_NOT_FOUND, ITEM_SENT */
function queued(id: string, item: OutboxItem | undefined): OutboxItem {
  if (!item) throw itemMissing(id);
  if (item.state.kind !== "queued") throw itemSent(id);
  return item;
}
