import type { Clock } from "../../platform/clock.ts";
import { type ProcessInfo, usageOf } from "../../platform/process.ts";
import { ProcessView } from "../../runs/tree.ts";

/** What instances use, each with its whole process tree: measured when somebody asks, and at most twice a second. */
export interface Measured {
  id: string;
  startedAtMs: number;
  membersIn: (view: ProcessView) => readonly ProcessInfo[];
}

export interface InstanceUsage {
  /** Of one processor, since the measurement before; at the first, since its start. */
  cpuPercent: number;
  memoryBytes: number;
}

interface Sample extends InstanceUsage {
  atMs: number;
  cpuMs: number;
}

const FRESH_MS = 500;

export class UsageMeter {
  readonly #clock: Clock;
  readonly #samples = new Map<string, Sample>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Looks at all of them; those that are not among them are forgotten. */
  measure(instances: readonly Measured[]): void {
    const nowMs = this.#clock.wallMs();
    const isKnown = instances.every(({ id }) => this.#samples.has(id));
    if (isKnown && nowMs - this.#lookedAtMs < FRESH_MS && nowMs >= this.#lookedAtMs) return;
    this.#lookedAtMs = nowMs;
    const ids = new Set(instances.map(({ id }) => id));
    for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id);
    if (instances.length === 0) return;
    const view = new ProcessView();
    for (const instance of instances) this.#sample(instance, view, nowMs);
  }

  of(id: string): InstanceUsage | undefined {
    return this.#samples.get(id);
  }

  #sample({ id, startedAtMs, membersIn }: Measured, view: ProcessView, nowMs: number): void {
    const { cpuMs, rssBytes } = usageOf(membersIn(view));
    const before = this.#samples.get(id);
    const sinceMs = Math.max(1, nowMs - (before?.atMs ?? startedAtMs));
    const usedMs = Math.max(0, cpuMs - (before?.cpuMs ?? 0));
    const cpuPercent = Math.round((usedMs / sinceMs) * 1000) / 10;
    this.#samples.set(id, { atMs: nowMs, cpuMs, cpuPercent, memoryBytes: rssBytes });
  }
}
