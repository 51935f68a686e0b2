import type { BuildFailure } from "../../protocol/front-messages.ts";
import type { Remote } from "./remote.ts";
import type { WorkerSpec } from "./spec.ts";

/**
 * All that is known and decided of one worker. Plain JSON: it is written to disk after each decision and before what was decided is carried out, so a server
 * that was killed anywhere reads it back, says `recovered`, and goes on.
 *
 * A **release** is one attempt to have one version serve: a version that is restarted has two. Which release serves is `current`, one assignment. What can be
 * computed (what is served, who is healthy, what people are told) is not stored: see `front-record.ts` and `summary.ts`.
 */
export interface WorkerState {
  format: 1;
  spec: WorkerSpec;
  /** The time of the last decision: what is before it comes of a clock that was set back. */
  decidedAtMs: number;
  /** `drained` and `stopped` differ in how long what is in flight may take; `removed`: it is no longer configured. */
  wanted: "up" | "stopped" | "drained" | "removed";
  isPaused: boolean;
  /** The version of the sources as they were last seen; null: not seen yet. */
  source: string | null;
  /** The change that `source` is as of. */
  sourceChange: number;
  /** A person went back to this one: it takes the place of `source` until that changes. */
  pin: string | null;
  /** Development: something changed at the sources, and `sources` has not told what. */
  touched: Touched | null;
  /** When the sources are to be looked at, for the first time or again; null: nobody waits for that. */
  lookAtMs: number | null;
  /** Oldest first; those that are on disk, are being made, or are bad. */
  versions: VersionRecord[];
  build: { version: string; deadlineMs: number } | null;
  candidate: Release | null;
  current: Release | null;
  /** The one before, warm while `probation` lasts. */
  standby: Release | null;
  probation: Probation | null;
  /** Why the current version is to be started anew beside itself. */
  restartOwed: string | null;
  /** Every process that may exist. Its port is its own for as long as it is here. */
  instances: Instance[];
  /** Of a `url` worker. */
  remote: Remote | null;
  spareNotBeforeMs: number;
  idPrefix: string;
  nextInstance: number;
  nextRelease: number;
  /** Of what the front is to know: the number of the last one asked for, what it said, and the last one in force. */
  publication: number;
  publishedKey: string;
  appliedPublication: number;
  /** The browsers are told to reload when this publication is in force. */
  reloadAt: number | null;
}

export interface Touched {
  change: number;
  sinceMs: number;
  /** The sources were asked for since: the answer covers it, whatever number it has. */
  isLooked: boolean;
}

export interface Release {
  id: number;
  version: string;
  cause: ReleaseCause;
  restarts: Restarts;
  /** What the front saw of its instances: exchanges that failed (any way), and all. */
  seen: { bad: number; total: number };
}

export type ReleaseCause = "sources" | "restart" | "rollback" | "start";

export interface VersionRecord {
  id: string;
  isBuilt: boolean;
  /** Why it is not started again unless the sources change or a person asks. */
  bad: Bad | null;
  /** When it served last. */
  servedAtMs: number | null;
}

export interface Bad {
  phase: "build" | "start" | "probation";
  reason: string;
  atMs: number;
  /** The one whose end showed it; its last lines follow with its exit. */
  instance: string | null;
  failure: BuildFailure | null;
  output: string[];
}

export interface Probation {
  /** The publication that made the switch. */
  publication: number;
  /** Null until that is in force. */
  untilMs: number | null;
}

export interface Restarts {
  /** In a row; an instance that was healthy for long enough ends the row, and those that fail together count once. */
  failures: number;
  lastMs: number;
  notBeforeMs: number;
  reason: string | null;
  /** Last lines of the one that failed last. */
  output: string[];
  /** Starts in a row that found their port taken. */
  portTries: number;
}

export interface Instance {
  id: string;
  /** Null: a spare, booted without code. */
  release: number | null;
  version: string | null;
  /** It was booted without code, and told later what to load. */
  wasSpare: boolean;
  /** `asked`: it is being started, or was about to be when a server died. */
  process: "asked" | "running";
  pid: number | null;
  port: number | null;
  askedAtMs: number;
  /** By then it has been healthy, or its start has failed. */
  startDeadlineMs: number;
  health: "unproven" | "healthy" | "unhealthy";
  healthSinceMs: number;
  /** Probes in a row that speak against `health`. */
  streak: number;
  /** 5xx answers in a row before it was healthy; 503 means "not yet" and is not one. */
  errorAnswers: number;
  reason: string | null;
  /** When the next probe is sent; when `isOut`: when its answer is given up. */
  probe: { isOut: boolean; atMs: number };
  /** Exchanges in a row that could not be had from it, as the front says. */
  connectionFailures: number;
  /** Why it is to be replaced while it still serves. */
  retiring: string | null;
  /** The front may have sent it requests. */
  wasPublished: boolean;
  leaving: Leaving | null;
}

/** Final: who leaves never serves again. */
export type Leaving =
  | {
      kind: "draining";
      /** From when the front gives it nothing new. */
      limitMs: number;
      /** The first of which it is no part. */
      publication: number;
      isInForce: boolean;
      /** Not `limitMs` from the beginning: while nothing is in force, the front is waited for. */
      deadlineMs: number;
      /** When what is left is closed; null: that was said. */
      closeAtMs: number | null;
      isDrained: boolean;
    }
  | { kind: "stopping" /** When the stop is ordered again. */; againAtMs: number };

export type Draining = Extract<Leaving, { kind: "draining" }>;

export function initialState(spec: WorkerSpec, { idPrefix = spec.name }: { idPrefix?: string } = {}): WorkerState {
  return {
    format: 1,
    spec,
    decidedAtMs: 0,
    wanted: "up",
    isPaused: false,
    source: null,
    sourceChange: 0,
    pin: null,
    touched: null,
    lookAtMs: 0,
    versions: [],
    build: null,
    candidate: null,
    current: null,
    standby: null,
    probation: null,
    restartOwed: null,
    instances: [],
    remote: null,
    spareNotBeforeMs: 0,
    idPrefix,
    nextInstance: 1,
    nextRelease: 1,
    publication: 0,
    publishedKey: "",
    appliedPublication: 0,
    reloadAt: null,
  };
}

/** What may be changed without changing `state`. */
export function copyOf(state: WorkerState): WorkerState {
  return {
    ...state,
    touched: state.touched && { ...state.touched },
    versions: state.versions.map((version) => ({ ...version })),
    candidate: copyRelease(state.candidate),
    current: copyRelease(state.current),
    standby: copyRelease(state.standby),
    probation: state.probation && { ...state.probation },
    remote: state.remote && { ...state.remote, probe: { ...state.remote.probe } },
    instances: state.instances.map((instance) => ({
      ...instance,
      probe: { ...instance.probe },
      leaving: instance.leaving && { ...instance.leaving },
    })),
  };
}

const copyRelease = (release: Release | null): Release | null =>
  release && { ...release, restarts: { ...release.restarts }, seen: { ...release.seen } };

export const newRelease = (id: number, version: string, cause: ReleaseCause): Release => ({
  id,
  version,
  cause,
  restarts: { failures: 0, lastMs: 0, notBeforeMs: 0, reason: null, output: [], portTries: 0 },
  seen: { bad: 0, total: 0 },
});

export const hasProcesses = (spec: WorkerSpec): boolean => spec.kind === "node" || spec.kind === "command";

/** What should serve. */
export const desiredVersion = (state: WorkerState): string | null => state.pin ?? state.source;

/** Those of a release that are not leaving. */
export const staffOf = (state: WorkerState, release: Release | null): Instance[] =>
  release === null ? [] : state.instances.filter(({ release: id, leaving }) => id === release.id && leaving === null);

export const healthyOf = (state: WorkerState, release: Release | null): Instance[] =>
  staffOf(state, release).filter(({ health }) => health === "healthy");

export const isSpare = (instance: Instance): boolean => instance.release === null;

/** In development requests are answered by the newest sources or not at all, unless a person chose another version. */
export const isOutdated = (state: WorkerState): boolean =>
  state.spec.mode === "dev" && (state.touched !== null || state.current?.version !== desiredVersion(state));

/** The release whose instances are started again and again, and do not stay. */
export const loopingRelease = (state: WorkerState): Release | null => {
  const release = state.current ?? state.candidate;
  if (release === null || release.restarts.failures < state.spec.restart.loopCount) return null;
  return healthyOf(state, release).length === 0 ? release : null;
};

/** The ports that are in use: each until the whole process tree of its instance is gone. */
export const portsOf = (state: WorkerState): { instance: string; port: number }[] =>
  state.instances.flatMap(({ id, port }) => (port === null ? [] : [{ instance: id, port }]));

/** Nothing of it is left: a removed worker may be forgotten. */
export const isGone = (state: WorkerState): boolean => state.wanted === "removed" && state.instances.length === 0;
