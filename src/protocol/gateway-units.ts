import * as z from "zod/mini";
import { Port } from "./units.ts";

/** What is told of a project's gateway: `gateway.status` and the stream `gateway`. */

const Count = z.int();
const Timestamp = z.string();

export const GatewayMode = z.enum(["dev", "prod"]);

/** Summaries of a worker, for people (docs/gateway.md). */
export const WorkerState = z.enum([
  "building",
  "starting",
  "healthy",
  "degraded",
  "unhealthy",
  "failed",
  "paused",
  "stopped",
  "crash_looping",
]);

export const WorkerInstance = z.looseObject({
  id: z.string(),
  version: z.string(),
  state: z.enum(["starting", "running", "healthy", "unhealthy", "standby", "draining", "stopped"]),
  port: z.optional(Count),
  pid: z.optional(Count),
  started_at: z.optional(Timestamp),
  in_flight: z.optional(Count),
  reason: z.optional(z.string()),
  stdout_path: z.optional(z.string()),
  stderr_path: z.optional(z.string()),
});

/** Why the version that should serve does not, or what its instances ended with last. */
export const WorkerFailure = z.looseObject({
  version: z.string(),
  /** `run`: its instances are started again and again. */
  phase: z.enum(["build", "start", "probation", "run"]),
  message: z.string(),
  at: Timestamp,
  /** 1-based; `file` relative to the project. */
  places: z.array(
    z.looseObject({ file: z.string(), line: Count, column: Count, message: z.string(), frame: z.array(z.string()) }),
  ),
  /** The last lines of the build, or of the instance that ended. */
  output: z.array(z.string()),
});

/** What a deploy takes elsewhere. `path` and `inputs` are absolute; without `path` it was not built. */
export const ProductionArtefact = z.looseObject({
  worker: z.string(),
  version: z.string(),
  path: z.optional(z.string()),
  inputs: z.array(z.string()),
  failure: z.optional(WorkerFailure),
});

/** What a worker can be waited for. `served`: what its sources are now answers requests; `stopped`: nothing of it runs. */
export const WorkerCondition = z.enum(["healthy", "served", "stopped"]);

export const Worker = z.looseObject({
  name: z.string(),
  kind: z.literal("worker"),
  /** `project/name`. */
  id: z.optional(z.string()),
  project: z.optional(z.string()),
  /** The project's directory. */
  workdir: z.optional(z.string()),
  /** Where its route begins. */
  url: z.optional(z.string()),
  status: z.optional(z.enum(["running", "stopped"])),
  /** Of the instance that has served longest; 0 without one. */
  pid: z.optional(Count),
  started_at: z.optional(Timestamp),
  /** On which its instances listen. */
  ports: z.optional(z.array(Port)),
  /** Sums of its instances, each with its whole process tree. */
  cpu_percent: z.optional(z.number()),
  memory_bytes: z.optional(Count),
  /** In a row, after failures; 0 again when an instance has stayed up. */
  restart_count: z.optional(Count),
  failure: z.optional(WorkerFailure),
  in_flight: z.optional(Count),
  p50_ms: z.optional(z.number()),
  p99_ms: z.optional(z.number()),
  type: z.enum(["node", "command", "static", "url"]),
  /** As a person writes it: `/api`, `api.example.org/`. */
  route: z.string(),
  state: WorkerState,
  reason: z.optional(z.string()),
  /** Serves, or did last. */
  version: z.optional(z.string()),
  /** Warm, or on disk: what a rollback goes to. */
  previous: z.optional(z.string()),
  instances: z.array(WorkerInstance),
  requests: z.optional(Count),
  failed: z.optional(Count),
  waiting: z.optional(Count),
});

/** How long each step of the last save took: milliseconds from the save. */
export const SaveTimes = z.looseObject({
  worker: z.string(),
  version: z.string(),
  at: Timestamp,
  detected_ms: z.number(),
  built_ms: z.number(),
  ready_ms: z.number(),
  switched_ms: z.number(),
});

/** A certificate as the front serves it. */
export const GatewayCertificate = z.looseObject({
  /** Its file. */
  cert: z.string(),
  /** What it is for: names, `*.example.org`, addresses. */
  hosts: z.array(z.string()),
  /** Absent: nothing of it is served. */
  expires_at: z.optional(Timestamp),
  /** Why the files as they are now are not taken up. */
  problem: z.optional(z.string()),
});

export const Gateway = z.looseObject({
  /** The project's directory. */
  dir: z.string(),
  project: z.string(),
  mode: GatewayMode,
  host: z.string(),
  port: Count,
  url: z.string(),
  front: z.optional(z.looseObject({ pid: Count, generation: Count, connections: z.optional(Count) })),
  /** Where TLS is configured; `certificates` where the front told of them. */
  tls: z.optional(
    z.looseObject({
      plain: z.enum(["redirect", "serve", "refuse"]),
      certificates: z.optional(z.array(GatewayCertificate)),
    }),
  ),
  workers: z.array(Worker),
  ports: z.looseObject({
    from: Count,
    to: Count,
    used: z.array(z.looseObject({ port: Count, instance: z.string() })),
  }),
  /** Why the files as they are now are not in force. */
  config_error: z.optional(z.string()),
  warnings: z.optional(z.array(z.string())),
  last_save: z.optional(SaveTimes),
});

export type Gateway = z.infer<typeof Gateway>;
export type GatewayCertificate = z.infer<typeof GatewayCertificate>;
export type Worker = z.infer<typeof Worker>;
export type WorkerInstance = z.infer<typeof WorkerInstance>;
export type WorkerFailure = z.infer<typeof WorkerFailure>;
export type ProductionArtefact = z.infer<typeof ProductionArtefact>;
export type WorkerCondition = z.infer<typeof WorkerCondition>;
export type SaveTimes = z.infer<typeof SaveTimes>;
