import * as z from "zod/mini";

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

export const Worker = z.looseObject({
  name: z.string(),
  kind: z.literal("worker"),
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

export const Gateway = z.looseObject({
  /** The project's directory. */
  dir: z.string(),
  project: z.string(),
  mode: GatewayMode,
  host: z.string(),
  port: Count,
  url: z.string(),
  front: z.optional(z.looseObject({ pid: Count, generation: Count, connections: z.optional(Count) })),
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
export type Worker = z.infer<typeof Worker>;
export type WorkerInstance = z.infer<typeof WorkerInstance>;
export type SaveTimes = z.infer<typeof SaveTimes>;
