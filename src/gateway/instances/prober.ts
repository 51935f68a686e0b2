import type { Log } from "../../platform/log.ts";
import { listeningPorts } from "../../platform/process.ts";
import type { WorkerConfig } from "../../protocol/gateway-config.ts";
import type { WorkerAction } from "../lifecycle/actions.ts";
import type { WorkerEvent } from "../lifecycle/events.ts";
import type { InstanceRuns } from "./instance-runs.ts";
import { probe } from "./probe.ts";

/**
 * Asks a worker's instances how they are, and tells only what is their own answer.
 *
 * Invariant: a port that was bound is not yet ours: another program may have bound it too, listen first, and answer. So the first answer counts only once a
 * process of the instance listens there; from then on nobody else can.
 */
export interface ProberOptions {
  runs: InstanceRuns;
  log: Log;
  tell: (event: WorkerEvent) => void;
  /** When it is aborted nothing is told any more. */
  signal: AbortSignal;
}

/** What an instance does instead of answering is told so long before its time is up: afterwards nobody asks. */
const LAST_WORD_MS = 250;

type Ask = Extract<WorkerAction, { kind: "probe" }>;

export class InstanceProber {
  readonly #options: ProberOptions;
  /** Those that were seen to listen on their own port. */
  readonly #proven = new Set<string>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** @param port its own; undefined: there is nobody to ask */
  async probe(
    ask: Ask,
    { target, health }: Pick<WorkerConfig, "target" | "health">,
    port: number | undefined,
  ): Promise<void> {
    if (target) return this.#probeRemote(ask, target, health);
    if (port === undefined) return;
    const { tell, runs, log, signal } = this.#options;
    const { instance, waitMs, timeoutMs } = ask;
    const { path, isConfigured } = health;
    const asked = { host: "127.0.0.1", port, path, isPathConfigured: isConfigured, timeoutMs, signal };
    const found = await probe({ ...asked, waitMs: Math.max(0, waitMs - LAST_WORD_MS) });
    if (signal.aborted) return;
    // It has ended, and what it left behind answers: how it ended is told, which is the better word.
    if (found.kind === "answer" && runs.firstPidOf(instance) === undefined) return;
    if (found.kind === "answer" && !this.#isOwn(instance, port))
      return tell({ kind: "probed", instance, isOk: false, reason: `port ${port} is answered by another program` });
    if (found.kind === "answer") {
      const reason = found.reason === undefined ? {} : { reason: found.reason };
      return tell({ kind: "probed", instance, isOk: found.isOk, status: found.status, ...reason });
    }
    const elsewhere = found.isRefused ? this.#portElsewhere(instance, port) : undefined;
    if (elsewhere !== undefined) return tell({ kind: "squatted", instance, port: elsewhere });
    log.debug("probe_silent", { instance, reason: found.reason });
    tell({ kind: "probed", instance, isOk: false, reason: found.reason });
  }

  /** Nothing of it is left: whoever has its port next has to prove itself again. */
  forget(instance: string): void {
    this.#proven.delete(instance);
  }

  async #probeRemote(
    { instance, timeoutMs }: Ask,
    target: NonNullable<WorkerConfig["target"]>,
    { path, isConfigured }: WorkerConfig["health"],
  ): Promise<void> {
    const { tell, signal } = this.#options;
    const found = await probe({ ...target, path, isPathConfigured: isConfigured, timeoutMs, waitMs: 0, signal });
    if (signal.aborted) return;
    const answer = found.kind === "answer" ? { isOk: found.isOk, status: found.status } : { isOk: false };
    const reason = found.reason === undefined ? {} : { reason: found.reason };
    tell({ kind: "probed", instance, ...answer, ...reason });
  }

  #isOwn(instance: string, port: number): boolean {
    if (this.#proven.has(instance)) return true;
    const { runs } = this.#options;
    const listens = (pids: number[]): boolean =>
      listeningPorts(pids).some((open) => open.port === port && open.protocol.startsWith("tcp"));
    const first = runs.firstPidOf(instance);
    if (first === undefined) return false;
    if (!listens([first]) && !listens(runs.membersOf(instance).map(({ pid }) => pid))) return false;
    this.#proven.add(instance);
    return true;
  }

  #portElsewhere(instance: string, own: number): number | undefined {
    const pids = this.#options.runs.membersOf(instance).map(({ pid }) => pid);
    const ports = listeningPorts(pids).filter(({ protocol }) => protocol.startsWith("tcp"));
    return ports.some(({ port }) => port === own) ? undefined : ports[0]?.port;
  }
}
