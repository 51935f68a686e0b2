import type { BuildFailure, TroubleCounts } from "../../protocol/front-messages.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import type { WorkerSpec } from "./spec.ts";

/**
 * What may happen to a worker. Each may be told twice, late, or of something that is long gone, and then changes nothing. What is lost when a server dies is
 * made good by `recovered`.
 */
export type WorkerEvent =
  /** The configuration has changed. */
  | { kind: "configured"; spec: WorkerSpec }
  /** It is no longer configured. */
  | { kind: "removed" }
  /** Something changed at the sources; `change` numbers such signs, upwards from 1. Who watches anew counts anew. */
  | { kind: "touched"; change: number }
  /** The sources, as of that change (0: when they were looked at without one), have this version. The answer to `look` too. */
  | { kind: "sources"; change: number; version: string }
  /** As of that change, nothing is different after all. */
  | { kind: "unchanged"; change: number }
  | { kind: "built"; version: string }
  | { kind: "build_failed"; version: string; failure: BuildFailure }
  | { kind: "started"; instance: string; pid: number; port: number }
  /** There is no process. `isVersionsFault` false: no port, no memory, no descriptor; another start may do better. */
  | { kind: "start_failed"; instance: string; code: string; reason: string; isVersionsFault: boolean }
  /** A spare could not import what it was told to. */
  | { kind: "load_failed"; instance: string; reason: string; output: string[] }
  /** Its first process has ended; `leftCount` others of its tree have not. `isPortTaken`: it said EADDRINUSE of its own port. */
  | {
      kind: "exited";
      instance: string;
      outcome: Outcome;
      leftCount: number;
      isPortTaken?: boolean;
      output: string[];
    }
  /** Its whole tree has ended: the port is free. */
  | { kind: "gone"; instance: string }
  /** It does not listen on its own port, but on this one. */
  | { kind: "squatted"; instance: string; port: number }
  | { kind: "probed"; instance: string; isOk: boolean; status?: number; reason?: string }
  | ({ kind: "trouble"; instance: string } & TroubleCounts)
  | { kind: "memory"; instance: string; bytes: number }
  /** Every front goes by this publication, or a later one. */
  | { kind: "applied"; publication: number }
  /** No front has anything in flight there, and none will. */
  | { kind: "drained"; instance: string }
  | { kind: "command"; command: WorkerCommand }
  | { kind: "tick" }
  /** The first after the state was read back: what exists. Of instances: those with a process; of versions: those whose artefact is on disk. */
  | { kind: "recovered"; instances: { id: string; pid: number; port: number | null }[]; versions: string[] };

export type WorkerCommand =
  | { verb: "pause" | "unpause" | "stop" | "start" | "restart" | "drain" }
  /** Builds again what the sources are, even if it was built or has failed. */
  | { verb: "build" }
  /** To the version that served before, or to this one (`rollbackTarget` says whether there is one). */
  | { verb: "rollback"; to?: string };
