import type { GatewayMode } from "../../protocol/front-messages.ts";

/** What a worker's decisions go by: its configuration, with every default filled in. Plain JSON. */
export interface WorkerSpec {
  name: string;
  kind: "node" | "command" | "static" | "url";
  mode: GatewayMode;
  /** Processes that serve at a time; 0 for `static` and `url`. */
  instances: number;
  /** Where the requests of a `url` worker go. */
  target?: { host: string; port: number; isTls?: boolean; ca?: string };
  /** Absolute. */
  publicDir?: string;
  /** The live reload script is put into its HTML. */
  isLive: boolean;
  /** A process without code is kept booted, so that a new version has only to be imported. Only `node` workers in development can. */
  hasSpare: boolean;
  /** Stands for all that a process is started with besides its version (environment, command): another one means a restart with overlap. */
  runKey: string;
  /** How long a request waits at most while the worker is held. */
  holdMs: number;
  buildTimeoutMs: number;
  /** From the order to start to the first healthy answer. */
  startTimeoutMs: number;
  /** How long the version before stays warm behind a new one. */
  probationMs: number;
  /** From the last new request to the stop at the latest. */
  drainMs: number;
  /** From SIGTERM to SIGKILL. */
  stopGraceMs: number;
  health: { intervalMs: number; timeoutMs: number; rise: number; fall: number };
  /** The first crash is followed by a start at once, the next by one after `firstMs`, doubled to `maxMs`; `loopCount` in a row are a crash loop. */
  restart: { firstMs: number; maxMs: number; loopCount: number };
  /** Versions whose artefacts are kept besides those in use. */
  keepCount: number;
  /** An instance that uses more is replaced. */
  memoryBytesMax?: number;
}

const PROBATION_MS: Record<GatewayMode, number> = { dev: 2_000, prod: 30_000 };

/** A whole specification from what differs from the defaults. */
export function specOf(given: Pick<WorkerSpec, "name" | "kind"> & Partial<WorkerSpec>): WorkerSpec {
  const mode = given.mode ?? "dev";
  const hasProcesses = given.kind === "node" || given.kind === "command";
  return {
    isLive: mode === "dev",
    hasSpare: mode === "dev" && given.kind === "node",
    runKey: "",
    holdMs: 30_000,
    buildTimeoutMs: 60_000,
    startTimeoutMs: 30_000,
    probationMs: PROBATION_MS[mode],
    drainMs: 30_000,
    stopGraceMs: 5_000,
    health: { intervalMs: 10_000, timeoutMs: 5_000, rise: 1, fall: 3 },
    restart: { firstMs: 500, maxMs: 30_000, loopCount: 5 },
    keepCount: 5,
    ...given,
    mode,
    instances: hasProcesses ? (given.instances ?? 1) : 0,
  };
}
