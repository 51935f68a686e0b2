import { createHash } from "node:crypto";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import type { SourceSpec } from "./build/source-spec.ts";
import { specOf, type WorkerSpec } from "./lifecycle/spec.ts";

/** What a worker's configuration means to those who decide, and to those who watch and build. */

export function lifecycleSpec(config: WorkerConfig, mode: GatewayMode): WorkerSpec {
  const {
    name,
    type,
    instances,
    target,
    publicDir,
    health,
    memoryBytesMax,
    probationMs,
    holdMs,
    buildTimeoutMs,
    stopGraceMs,
  } = config;
  const { intervalMs, timeoutMs, rise, fall } = health;
  return specOf({
    name,
    kind: type,
    mode,
    instances,
    ...(target === undefined ? {} : { target }),
    ...(publicDir === undefined ? {} : { publicDir }),
    isLive: config.isLive && mode === "dev",
    runKey: runKeyOf(config),
    health: { intervalMs, timeoutMs, rise, fall },
    drainMs: config.drainMs,
    startTimeoutMs: config.startTimeoutMs,
    keepCount: config.keepCount,
    ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }),
    ...(probationMs === undefined ? {} : { probationMs }),
    ...(holdMs === undefined ? {} : { holdMs }),
    ...(buildTimeoutMs === undefined ? {} : { buildTimeoutMs }),
    ...(stopGraceMs === undefined ? {} : { stopGraceMs }),
  });
}

/** Stands for what a process is started with: another one means a restart. */
function runKeyOf({ command, env, allowEnv, path, route, takesSocket, health }: WorkerConfig): string {
  const text = JSON.stringify([command, env, allowEnv, path, route, takesSocket, health.path]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Undefined for what is not made of sources. */
export function sourceSpec(
  config: WorkerConfig,
  projectDir: string,
  personEnv: readonly string[],
): SourceSpec | undefined {
  const { name, dir, type, entry, build, sharedDirs, ignore = [], hasSources = true } = config;
  if (type === "static" || type === "url") return undefined;
  return {
    name,
    dir,
    projectDir,
    ...{ sharedDirs, ignore },
    ...(hasSources ? {} : { isDeployed: true }),
    program:
      type === "node"
        ? { kind: "node", entry: entry ?? "src/main.ts" }
        : { kind: "command", ...(build ? { build } : {}), buildEnv: personEnv },
  };
}
