import type { WireError } from "../protocol/errors.ts";

/**
 * What the two ends of a deploy say to each other: JSON lines on the standard streams of `warren receive`, which ssh runs on the host.
 *
 *     deployer                      host
 *                                 ← ready        the lock is held; `staging` is empty
 *     (rsync into `staging`)
 *     switch                      →
 *                                 ← placed       the files are in their places
 *                                 ← result       every worker has come to rest; if one is not well, all is as before
 *     keep or undo                →              after the hook here
 *                                 ← done
 *
 * Until `switch` has come whole, nothing that is seen has changed, and the end of the connection ends it. From then on the host finishes by itself: it has
 * switched, or is as it was, whatever becomes of the connection.
 */
export const DEPLOY_FORMAT = 1;

export type ToHost =
  | ({ type: "switch" } & Placement)
  | { type: "keep" }
  | { type: "undo" }
  /** So that a deployer that is gone without a word does not hold the lock. */
  | { type: "alive" };

export type FromHost =
  /** Both absolute. */
  | { type: "ready"; format: number; dir: string; staging: string }
  | { type: "placed"; changed: number }
  | { type: "result"; isWell: boolean; workers: HostWorker[]; undone?: Undone; url?: string; reason?: string }
  | { type: "done"; undone?: Undone }
  | ({ type: "refused" } & WireError);

/** What is to stand in the project's folder. Paths are relative to it, with `/`. */
export interface Placement {
  /** All but artefacts. What an earlier deploy has put there and this one does not name is taken away. */
  files: string[];
  artefacts: Artefact[];
  /** Who deploys, for people. */
  by: string;
  keepCount: number;
  timeoutMs: number;
}

/** What the link `<dir>/bin/<worker>` leads to. */
export interface Artefact {
  worker: string;
  version: string;
  /** Of the worker. */
  dir: string;
  /** Its name in `<dir>/bin`. */
  name: string;
  /** With its source map, if it has one. */
  files: string[];
}

export interface HostWorker {
  name: string;
  state: string;
  isWell: boolean;
  version?: string;
  reason?: string;
  /** Its last lines, when it is not well. */
  output: string[];
}

/** How the way back went. */
export interface Undone {
  /** The workers are as well as they were; false: look there. */
  isWell: boolean;
  workers: HostWorker[];
  reason?: string;
}

/** How often a deployer says that it is there, and how long the host believes it. */
export const ALIVE_EVERY_MS = 10_000;
export const SILENCE_MAX_MS = 60_000;
/** A list of a hundred thousand files. */
export const DEPLOY_LINE_BYTES_MAX = 32 * 1024 * 1024;
