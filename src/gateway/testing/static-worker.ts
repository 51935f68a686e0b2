import type { WorkerConfig } from "../../protocol/gateway-config.ts";

/** A worker without processes and sources. */
export const STATIC_WORKER: WorkerConfig = {
  ...{ name: "site", dir: "/nowhere", type: "static", path: "/", route: "/", instances: 0, env: {}, allowEnv: [] },
  ...{ sharedDirs: [], isLive: false, drainMs: 0, startTimeoutMs: 1_000, keepCount: 1 },
  health: { path: "/", isConfigured: false, intervalMs: 1_000, timeoutMs: 1_000, rise: 1, fall: 1 },
};
