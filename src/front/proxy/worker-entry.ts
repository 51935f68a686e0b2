import type { FrontWorker } from "../../protocol/front-messages.ts";
import type { Context } from "./context.ts";
import type { Instance } from "./instance.ts";
import { REFUSED_WAIT_MS, WAITING_MAX } from "./limits.ts";

/** A request that waits for its worker. */
export interface Waiting {
  /** Of two the lower came first. */
  readonly number: number;
  /** The worker may serve again: it finds its way anew. */
  released(): void;
  /** It gave way to younger ones. */
  shed(): void;
}

/**
 * One worker as the table has it, and the requests that wait for it: because it is held, because it has no instance, or because none of them takes a
 * connection, which the server is about to notice. They go on in the order in which they came. In the last case the oldest tries by itself at each sweep.
 */
export class WorkerEntry {
  readonly #context: Context;
  #waiting = new Set<Waiting>();
  #youngest = -1;
  /** The one that tries whether the instances take connections again; it waits as well. */
  #trying: Waiting | undefined;
  #wasTold = false;
  #turn = 0;
  worker: FrontWorker;
  instances: readonly Instance[];

  constructor(worker: FrontWorker, instances: readonly Instance[], context: Context) {
    this.worker = worker;
    this.instances = instances;
    this.#context = context;
  }

  get waitingCount(): number {
    return this.#waiting.size + (this.#trying === undefined ? 0 : 1);
  }

  /** A new request has to wait. */
  get isBlocked(): boolean {
    const { state } = this.worker;
    return state === "held" || (state === "serving" && (this.instances.length === 0 || this.#waiting.size > 0));
  }

  /** How long a request may wait here in all. */
  get waitMs(): number {
    const { holdMs, state } = this.worker;
    return holdMs ?? (state === "held" ? Number.POSITIVE_INFINITY : REFUSED_WAIT_MS);
  }

  /** Least in flight; of equals in turn. Undefined: all of them are among `tried`. */
  pick(tried: readonly Instance[] | undefined): Instance | undefined {
    const { instances } = this;
    if (instances.length === 1 && tried === undefined) return instances[0];
    let best: Instance | undefined;
    for (let offset = 0; offset < instances.length; offset++) {
      const instance = instances[(this.#turn + offset) % instances.length]!;
      if (tried?.includes(instance)) continue;
      if (best === undefined || instance.inFlight < best.inFlight) best = instance;
    }
    this.#turn = (this.#turn + 1) % Math.max(1, instances.length);
    return best;
  }

  wait(request: Waiting): void {
    if (this.#trying === request) this.#trying = undefined;
    const isYoungest = request.number > this.#youngest;
    if (isYoungest) this.#youngest = request.number;
    if (isYoungest || this.#waiting.size === 0) this.#waiting.add(request);
    else this.#waiting = new Set([...this.#waiting, request].sort((one, other) => one.number - other.number));
    this.#tell();
    if (this.#waiting.size <= WAITING_MAX) return;
    const [oldest] = this.#waiting;
    this.#waiting.delete(oldest!);
    oldest!.shed();
  }

  /** It does not wait any more: its client has gone, or its time is up. */
  leave(request: Waiting): void {
    this.#waiting.delete(request);
    if (this.#trying === request) this.#trying = undefined;
    this.#tell();
  }

  /** One that tried has found a connection: so will the others. */
  succeeded(request: Waiting): void {
    if (this.#trying !== request) return;
    this.#trying = undefined;
    this.releaseAll();
  }

  assign(worker: FrontWorker, instances: readonly Instance[]): void {
    this.worker = worker;
    this.instances = instances;
  }

  /** The table may have changed what they wait for. */
  releaseIfServed(): void {
    const { state } = this.worker;
    if (state !== "held" && (state !== "serving" || this.instances.length > 0)) this.releaseAll();
  }

  releaseAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const request of waiting) request.released();
    this.#tell();
  }

  sweep(): void {
    if (this.worker.state !== "serving" || this.instances.length === 0 || this.#trying !== undefined) return;
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    this.#waiting.delete(oldest);
    this.#trying = oldest;
    oldest.released();
  }

  isTrying(request: Waiting): boolean {
    return this.#trying === request;
  }

  #tell(): void {
    const isWaiting = this.waitingCount > 0;
    if (isWaiting === this.#wasTold) return;
    this.#wasTold = isWaiting;
    this.#context.tell({ type: "waiting", worker: this.worker.name, count: this.waitingCount });
  }
}
