import type { GatewayMode } from "../../protocol/front-messages.ts";

/** What holds for a worker whose file does not say it; partly by the project's files. Times in milliseconds. */
export interface WorkerDefaults {
  mode: GatewayMode;
  isLive: boolean;
  keepCount: number;
  allowEnv: readonly string[];
  healthTimeoutMs: number;
  startTimeoutMs: number;
  stopGraceMs: number;
}

export const DEFAULTS = {
  healthIntervalMs: 10_000,
  healthTimeoutMs: 5_000,
  rise: 1,
  fall: 3,
  drainMs: 30_000,
  stopGraceMs: 5_000,
  startTimeoutMs: 30_000,
  buildTimeoutMs: 120_000,
  holdMs: 30_000,
} as const;
