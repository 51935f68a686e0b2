import { type Clock, systemClock } from "../../platform/clock.ts";
import type { FrontTable, FrontWorker } from "../../protocol/front-messages.ts";

/**
 * What became of each worker, as the front was told: it compares each table with the one before. That a worker was held in between is said by how long its
 * requests waited, not by a change of its own.
 */
export type Change = { atMs: number; worker: string } & (
  | { kind: "serving"; version: string | undefined; before: string | undefined; heldMs: number | undefined }
  | { kind: "failed"; phase: "build" | "start"; message: string }
  /** The version before goes on, or what failed is forgotten. */
  | { kind: "back"; version: string | undefined }
  | { kind: "gone"; reason: string | undefined }
  | { kind: "removed" }
);

const CHANGES_KEPT = 50;

interface Known {
  /** As it was told: of thousands, all but one are as they were. */
  worker: FrontWorker;
  state: Exclude<FrontWorker["state"], "held"> | undefined;
  version: string | undefined;
  failedAt: string | undefined;
  heldSinceMs: number | undefined;
}

export class Changes {
  readonly #clock: Clock;
  readonly #changes: Change[] = [];
  #known = new Map<string, Known>();
  /** What is there when a front begins is no change. */
  #isFirst = true;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** The last first. */
  newestFirst(): Change[] {
    return this.#changes.toReversed();
  }

  applyTable({ workers }: Pick<FrontTable, "workers">): void {
    const known = new Map<string, Known>();
    for (const worker of workers) known.set(worker.name, this.#next(worker, this.#known.get(worker.name)));
    for (const name of this.#known.keys()) if (!known.has(name)) this.#add({ ...this.#mark(name), kind: "removed" });
    this.#known = known;
    this.#isFirst = false;
  }

  #next(worker: FrontWorker, before: Known | undefined): Known {
    const { state, failure, instances } = worker;
    if (before?.worker === worker) return before;
    const known = before ?? {
      worker,
      state: undefined,
      version: undefined,
      failedAt: undefined,
      heldSinceMs: undefined,
    };
    if (state === "held") return { ...known, worker, heldSinceMs: known.heldSinceMs ?? this.#clock.monotonicMs() };
    const version = instances[0]?.version ?? known.version;
    const next: Known = { worker, state, version, failedAt: failure?.at, heldSinceMs: undefined };
    const change = this.#isFirst ? undefined : this.#changeTo(worker, next, known);
    if (change !== undefined) this.#add(change);
    return next;
  }

  #changeTo({ name, state, failure, reason }: FrontWorker, next: Known, known: Known): Change | undefined {
    const mark = this.#mark(name);
    if (state === "failed") {
      if (failure === undefined || failure.at === known.failedAt) return undefined;
      return { ...mark, kind: "failed", phase: failure.phase, message: failure.message };
    }
    if (state === "gone") return known.state === "gone" ? undefined : { ...mark, kind: "gone", reason };
    const { version } = next;
    if (known.state === "serving" && known.version === version) return undefined;
    if (known.version === version && known.state === "failed") return { ...mark, kind: "back", version };
    const heldMs = known.heldSinceMs === undefined ? undefined : this.#clock.monotonicMs() - known.heldSinceMs;
    return { ...mark, kind: "serving", version, before: known.version === version ? undefined : known.version, heldMs };
  }

  #mark(worker: string): { atMs: number; worker: string } {
    return { atMs: this.#clock.wallMs(), worker };
  }

  #add(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > CHANGES_KEPT) this.#changes.shift();
  }
}
