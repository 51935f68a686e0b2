import type { WireError } from "../../protocol/errors.ts";
import type { LookType } from "./looks.ts";
import type { Leader, Operation, ReadType } from "./operations.ts";
import type { Outcome, Step, WalState } from "./writer.ts";

/** What is said between the leader's main thread and the log's threads. Each call gets one answer with its number. */

export interface ThreadData {
  role: "writer" | "reader" | "backup";
  path: string;
}

export type WriterCall =
  | { kind: "lead"; call: number; leader: Leader; nowMs: number }
  | { kind: "perform"; call: number; steps: Step[] }
  | { kind: "look"; call: number; operation: Operation<LookType> }
  | { kind: "copy"; call: number }
  | { kind: "close"; call: number };

export type ReaderCall =
  | { kind: "read"; call: number; operation: Operation<ReadType> }
  /** Adds some words to the search index; answers whether more are missing. */
  | { kind: "index"; call: number }
  | { kind: "checkpoint"; call: number }
  | { kind: "close"; call: number };

export interface BackupCall {
  kind: "backup";
  call: number;
  to: string;
}

export type ThreadCall = WriterCall | ReaderCall | BackupCall;

export type ThreadAnswer =
  | { kind: "ready" }
  /** It could not be opened. */
  | { kind: "failed"; error: WireError }
  | { kind: "done"; call: number; value: unknown }
  | { kind: "performed"; call: number; outcomes: Outcome[]; wal: WalState }
  | { kind: "refused"; call: number; error: WireError };
