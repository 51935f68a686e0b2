import type { Client } from "../../client/client.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import type { Artefact, HostWorker } from "../messages.ts";
import { useOf } from "./prune-versions.ts";

/** The gateway of the project on the host: brought up or told to take up what has changed, and judged when every worker has come to rest. */
export interface HostGatewayOptions {
  client: Client;
  /** Without symbolic links. */
  dir: string;
  /** "KEY=value", for a gateway that is not up. */
  env: string[];
  port?: number | undefined;
}

export interface Judgement {
  isWell: boolean;
  workers: HostWorker[];
  url?: string;
  /** Of the project as a whole: its configuration, its port. */
  reason?: string;
}

const OUTPUT_LINES_MAX = 20;
/** Starts in a row that failed, after which a first version is not waited for. */
const FAILURES_MAX = 3;
const LOOK_EVERY_MS = 500;
/** An answer from so shortly before its limit may be the limit's. */
const TIMER_SLACK_MS = 50;
/** A person has wanted these so. */
const WANTED_SO: ReadonlySet<string> = new Set(["stopped", "paused"]);

export class HostGateway {
  readonly #options: HostGatewayOptions;

  constructor(options: HostGatewayOptions) {
    this.#options = options;
  }

  async status(): Promise<Gateway | undefined> {
    const { client, dir } = this.#options;
    const { gateways } = await client.request("gateway.status", { workdir: dir });
    return gateways.find((gateway) => gateway.dir === dir); // not that of a folder above it
  }

  /** Does not throw: what cannot be is a judgement too. */
  async takeUp(expected: readonly Artefact[], timeoutMs: number): Promise<Judgement> {
    const { dir } = this.#options;
    const deadlineMs = performance.now() + timeoutMs;
    try {
      const before = await this.status();
      const names = new Set(before ? await this.#refresh(before, timeoutMs) : await this.#up());
      await Promise.all([...names].map((worker) => this.#settled(worker, deadlineMs).catch(unlessGone)));
      const gateway = await this.status();
      if (!gateway) return { isWell: false, workers: [], reason: `No gateway serves ${dir} any more.` };
      return judge(gateway, expected);
    } catch (error) {
      return { isWell: false, workers: [], reason: messageOf(error) };
    }
  }

  async down(): Promise<void> {
    const { client, dir } = this.#options;
    if (await this.status()) await client.request("gateway.down", { workdir: dir });
  }

  /** Versions that somebody may need still. */
  async versionsInUse(): Promise<Set<string>> {
    const { workers = [] } = (await this.status()) ?? {};
    return new Set(
      workers.flatMap((worker) =>
        [worker.version, worker.previous, ...worker.instances.map(({ version }) => version)].flatMap((version) =>
          version ? useOf(worker, version) : [],
        ),
      ),
    );
  }

  /** It has come to rest, or fails to come up again and again; what has nothing to go back to is started for ever. */
  async #settled(worker: string, deadlineMs: number): Promise<void> {
    const { client, dir } = this.#options;
    for (;;) {
      const leftMs = Math.round(deadlineMs - performance.now());
      if (leftMs <= 0) return;
      const asked = { worker, workdir: dir, timeout_ms: Math.min(leftMs, LOOK_EVERY_MS) };
      const startedMs = performance.now();
      const { worker: found } = await client.request("gateway.settled", asked);
      const isAtRest = performance.now() - startedMs < asked.timeout_ms - TIMER_SLACK_MS;
      if (isAtRest || (found.restart_count ?? 0) >= FAILURES_MAX) return;
    }
  }

  async #up(): Promise<string[]> {
    const { client, dir, env, port } = this.#options;
    const { gateway } = await client.request("gateway.up", { dir, env, ...(port === undefined ? {} : { port }) });
    return gateway.workers.map(({ name }) => name);
  }

  async #refresh({ mode }: Gateway, timeoutMs: number): Promise<string[]> {
    const { client, dir } = this.#options;
    if (mode !== "prod") await client.request("gateway.mode", { workdir: dir, mode: "prod" });
    try {
      const { gateway } = await client.request("gateway.refresh", { workdir: dir }, { timeoutMs });
      return gateway.workers.map(({ name }) => name);
    } catch (error) {
      if (!isWarrenError(error, "TIMEOUT")) throw error;
      return ((await this.status())?.workers ?? []).map(({ name }) => name);
    }
  }
}

function judge({ workers, config_error, url }: Gateway, expected: readonly Artefact[]): Judgement {
  const judged = workers.map((worker) => judgeWorker(worker, expected));
  const isWell = judged.every((worker) => worker.isWell) && config_error === undefined;
  return { isWell, workers: judged, url, ...(config_error === undefined ? {} : { reason: config_error }) };
}

function judgeWorker(worker: Worker, expected: readonly Artefact[]): HostWorker {
  const { name, state, version, reason, failure } = worker;
  const wanted = expected.find((artefact) => artefact.worker === name)?.version;
  const isOther = state === "healthy" && wanted !== undefined && version !== wanted;
  const isWell = (state === "healthy" && !isOther) || WANTED_SO.has(state);
  const why = reason ?? (isOther ? `version ${version} serves, not ${wanted}` : undefined);
  return {
    ...{ name, state, isWell },
    ...(version === undefined ? {} : { version }),
    ...(why === undefined || isWell ? {} : { reason: why }),
    output: isWell ? [] : (failure?.output ?? []).slice(-OUTPUT_LINES_MAX),
  };
}

/** One that leaves with this deployment may be gone by the time that it is asked for; `judge` misses it if it was expected. */
function unlessGone(error: unknown): void {
  if (!isWarrenError(error, "WORKER_NOT_FOUND")) throw error;
}
