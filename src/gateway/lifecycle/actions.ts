/**
 * What is to be carried out, in this order, after the state was written. Each may be ordered twice (a server died in between) and is then the same as once:
 * who carries out knows what runs. Actions on one instance are carried out one after another; a `stop` waits for its `start`.
 */
export type WorkerAction =
  /** Answer with `sources`: what version are they? */
  | { kind: "look" }
  /** `isForced`: even if there is an artefact. Answer: `built`, `build_failed`. */
  | { kind: "build"; version: string; isForced: boolean }
  | { kind: "cancel_build"; version: string }
  /** On a port of the caller's choice. Without a version: a spare. Answer: `started`, `start_failed`. */
  | { kind: "start"; instance: string; version: string | null }
  /** A spare imports a version; it is probed from now on. Answer, if it cannot: `load_failed`. */
  | { kind: "load"; instance: string; version: string }
  /** Ends the tree. Answer: `exited` (unless it had), and `gone` once nothing is left. */
  | { kind: "stop"; instance: string; graceMs: number }
  /** Tell the front `frontWorkerOf(state)` and `drainingOf(state)`. Answer: `applied`. */
  | { kind: "publish"; publication: number }
  /** Tell the front to end what the instance has still open. */
  | { kind: "close"; instance: string; spreadMs: number }
  /** One HTTP request; to the other end of a `url` worker when the instance is the worker's own name. With `waitMs` above 0 it is tried again until there is an HTTP answer, for so long. Answer: `probed`, or `squatted`. */
  | { kind: "probe"; instance: string; waitMs: number; timeoutMs: number }
  /** The artefact that the current link names. */
  | { kind: "link"; version: string }
  /** Tell the browsers that show its pages. */
  | { kind: "reload" }
  /** For the log and the event stream. */
  | { kind: "report"; name: ReportName; fields: Record<string, string | number | null> }
  /** Say `tick` at this moment, unless a later one is ordered by then: only the last order counts. */
  | { kind: "wake"; atMs: number };

export type ReportName =
  | "command_taken"
  | "build_started"
  | "build_failed"
  | "built"
  | "instance_failed"
  | "instance_unhealthy"
  | "instance_healthy"
  | "instance_retired"
  | "remote_healthy"
  | "remote_unhealthy"
  | "release_started"
  | "release_abandoned"
  | "switched"
  | "switched_back"
  | "version_bad"
  | "restart_failed"
  | "restart_planned"
  | "crash_looping"
  | "probation_over"
  | "drain_overdue"
  | "rollback_refused"
  | "recovered";
