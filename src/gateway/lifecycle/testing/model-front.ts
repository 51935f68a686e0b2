import type { FrontWorker } from "../../../protocol/front-messages.ts";
import type { WorkerEvent } from "../events.ts";
import { drainingOf, frontWorkerOf } from "../front-record.ts";
import type { Random } from "./random.ts";
import type { Surroundings } from "./surroundings.ts";

/** The shortest drain limit that schedules configure. */
export const DRAIN_LEAST_MS = 3_000;
/** The shortest that it becomes: of a stop, or in development when a place is needed. */
const HASTY_LEAST_MS = 1_000;
/** How long a front that says nothing is waited for, at least. */
const FRONT_SILENT_MS = 5_000;

/**
 * The front of the model world: goes by the last table that it was told, and knows what is in flight where. What it is told and says travels in order; a lost
 * connection loses what is on its way, and after it the whole table is told.
 */
export class ModelFront {
  /** What is in force. */
  publication = 0;
  record: FrontWorker | undefined;
  #draining: readonly string[] = [];
  /** Grows with each connection: what belongs to an older one is lost. Even: there is none. */
  #connection = 0;
  readonly #world: Surroundings;
  #arrivalMs = 0;
  #returnMs = 0;
  /** Until when an instance that gets nothing new has something in flight. */
  readonly #busyUntilMs = new Map<string, number>();
  readonly #saidDrained = new Set<string>();
  /** Since when a table is in force in which an instance drains; since when one was told, at first. */
  readonly #drainingSinceMs = new Map<string, number>();
  readonly #drainToldMs = new Map<string, number>();
  /** Instances that it was ever told of. */
  readonly #published = new Set<string>();

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** The server comes, or comes back. */
  connect(): void {
    if (this.#connection % 2 === 1) return;
    this.#connection += 1;
    this.#tell();
  }

  disconnect(): void {
    if (this.#connection % 2 === 1) this.#connection += 1;
  }

  publish(): void {
    const { state, nowMs } = this.#world;
    for (const { id } of frontWorkerOf(state).instances) this.#published.add(id);
    for (const id of drainingOf(state)) if (!this.#drainToldMs.has(id)) this.#drainToldMs.set(id, nowMs);
    if (this.#connection % 2 === 1) this.#tell();
  }

  close(id: string, spreadMs: number): void {
    const untilMs = this.#world.nowMs + spreadMs;
    this.#send(() => {
      const busyUntilMs = this.#busyUntilMs.get(id);
      if (busyUntilMs !== undefined && busyUntilMs > untilMs) this.#busyUntilMs.set(id, untilMs);
    });
  }

  /** It was killed: what was in flight is lost; the next one goes by the table on disk. */
  die(): void {
    this.#busyUntilMs.clear();
  }

  /** Nobody who may get requests, or has some in flight, is stopped before the limit. */
  checkStop(id: string, isHasty: boolean): void {
    const { nowMs, broken, state } = this.#world;
    if (!this.#published.has(id)) return;
    if (this.#saidDrained.has(id)) {
      if (this.#routed().includes(id)) broken.push(`${id} was drained and gets requests again`);
      return;
    }
    const limitMs = Math.min(state.spec.drainMs, isHasty ? HASTY_LEAST_MS : DRAIN_LEAST_MS);
    const inForceMs = nowMs - (this.#drainingSinceMs.get(id) ?? Number.POSITIVE_INFINITY);
    const toldMs = nowMs - (this.#drainToldMs.get(id) ?? Number.POSITIVE_INFINITY);
    if (inForceMs < limitMs && toldMs < limitMs + FRONT_SILENT_MS) broken.push(`${id} is stopped while it serves`);
  }

  /** Instances that get new requests now. */
  #routed(): string[] {
    return this.record?.state === "serving" ? this.record.instances.map(({ id }) => id) : [];
  }

  #tell(): void {
    const { state } = this.#world;
    const { publication } = state;
    const record = frontWorkerOf(state);
    const draining = drainingOf(state);
    this.#send(() => {
      this.#apply(record, draining);
      this.publication = publication;
      this.#say({ kind: "applied", publication });
      for (const id of draining) this.#awaitDrain(id, publication);
    });
  }

  #apply(record: FrontWorker, draining: readonly string[]): void {
    const { nowMs, random } = this.#world;
    const before = this.#routed();
    this.record = record;
    this.#draining = draining;
    for (const id of draining) if (!this.#drainingSinceMs.has(id)) this.#drainingSinceMs.set(id, nowMs);
    const after = this.#routed();
    for (const id of before) if (!after.includes(id)) this.#busyUntilMs.set(id, nowMs + exchangeMs(random));
  }

  #awaitDrain(id: string, publication: number): void {
    const { nowMs } = this.#world;
    const connection = this.#connection;
    this.#world.later(this.#idleAtMs(id) - nowMs, () => {
      const isAsked =
        this.publication === publication && this.#connection === connection && this.#draining.includes(id);
      if (!isAsked) return;
      if (this.#idleAtMs(id) > this.#world.nowMs) return this.#awaitDrain(id, publication);
      this.#saidDrained.add(id);
      this.#say({ kind: "drained", instance: id });
    });
  }

  #idleAtMs(id: string): number {
    return Math.max(this.#world.nowMs, this.#busyUntilMs.get(id) ?? 0);
  }

  /** To the front, in order. */
  #send(run: () => void): void {
    const { nowMs, random } = this.#world;
    const connection = this.#connection;
    const delayMs = random.between(0, random.chance(90) ? 5 : 500);
    this.#arrivalMs = Math.max(this.#arrivalMs, nowMs + delayMs);
    this.#world.later(this.#arrivalMs - nowMs, () => {
      if (connection === this.#connection) run();
    });
  }

  /** From the front, in order; sometimes twice. */
  #say(event: WorkerEvent): void {
    const { nowMs, random } = this.#world;
    const connection = this.#connection;
    this.#returnMs = Math.max(this.#returnMs, nowMs + random.between(0, 5));
    for (let count = random.chance(5) ? 2 : 1; count > 0; count--) {
      this.#world.later(this.#returnMs - nowMs, () => {
        if (connection === this.#connection) this.#world.tell(event);
      });
    }
  }
}

/** Mostly short; a WebSocket stays. */
const exchangeMs = (random: Random): number =>
  random.chance(85) ? random.between(0, 400) : random.between(1_000, 120_000);
