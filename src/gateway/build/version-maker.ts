import type { BuildOutcome } from "./build-outcome.ts";

/** Where the versions of a worker come from: they are built of its sources (`Builder`), or lie there as they were deployed (`Deployed`). */
export interface VersionMaker {
  /** Finds what is there; the versions, the oldest first. */
  open(): Promise<string[]>;
  /** Does not throw. */
  build(version: string, signal: AbortSignal, options?: { isForced?: boolean }): Promise<BuildOutcome>;
  /** Undefined: it is gone, or the worker's folder is what runs. */
  artefactOf(version: string): Promise<string | undefined>;
  /** `bin/<name>` leads to it from now on. @throws ARTEFACT_MISSING, BIN_REFUSED, BIN_UNWRITABLE */
  setCurrent(version: string): Promise<void>;
  /** Removes what is too much, never those in `keep`. */
  prune(keep: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}
