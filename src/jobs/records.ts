import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import type { Condition, Owner, RestartPolicy } from "../protocol/units.ts";
import type { RunStats } from "./history.ts";

/** What state.db holds, as the domain sees it. */

export interface JobOptions {
  description?: string | undefined;
  labels?: Record<string, string> | undefined;
  owner?: (Owner & { start_ticks?: number }) | undefined;
  restart?: RestartPolicy | undefined;
  timeout_ms?: number | undefined;
  grace_ms?: number | undefined;
  stop_signal?: string | undefined;
  ready?: Condition | undefined;
  depends_on?: string[] | undefined;
  blocked?: boolean | undefined;
  /** Marked to be started again after a reboot: by `--autostart`, or while a policy of its warren.yaml keeps it up. */
  autostart?: boolean | undefined;
  /** What its warren.yaml sets, "KEY=value": goes over any environment that it is started with. */
  file_env?: string[] | undefined;
  log_max_bytes?: number | undefined;
}

export interface JobRecord {
  id: string;
  name: string | null;
  project: string;
  command: string[];
  workdir: string;
  options: JobOptions;
  stats: RunStats;
  nextRunNumber: number;
  wanted: "up" | "down";
  restartCount: number;
  restartAtMs: number | null;
  env: string[] | null;
  createdAtMs: number;
}

export type RunCause = "user" | "restart-policy" | "dependency" | "boot";

/** A signal that we sent to a run: what makes an exit status of 128+n a death by it. */
export interface SentSignal {
  signal: string;
  by: SignalledBy;
}

export interface RunRecord {
  id: string;
  jobId: string;
  number: number;
  state: "starting" | "running" | "stopping" | "ended";
  cause: RunCause;
  attempt: number;
  tag: number;
  bootId: string | null;
  jobPid: number | null;
  jobTicks: number | null;
  shimPid: number | null;
  shimTicks: number | null;
  ready: boolean;
  sent: SentSignal[];
  stopDeadlineMs: number | null;
  outcome: Outcome | null;
  startedAtMs: number;
  stoppedAtMs: number | null;
  peakMemoryBytes: number | null;
  cpuMs: number | null;
  stdoutDropped: number | null;
  stderrDropped: number | null;
}

/** Why a run is lost whose boot is not this one. */
export const REBOOTED = "the machine restarted";

/** A run before anything is known of it. */
export const BLANK_RUN: RunRecord = {
  id: "",
  jobId: "",
  number: 0,
  state: "starting",
  cause: "user",
  attempt: 1,
  tag: 0,
  bootId: null,
  jobPid: null,
  jobTicks: null,
  shimPid: null,
  shimTicks: null,
  ready: false,
  sent: [],
  stopDeadlineMs: null,
  outcome: null,
  startedAtMs: 0,
  stoppedAtMs: null,
  peakMemoryBytes: null,
  cpuMs: null,
  stdoutDropped: null,
  stderrDropped: null,
};

export interface EventRecord {
  seq: number;
  type: string;
  jobId: string;
  workdir: string;
  atMs: number;
  data: Record<string, unknown>;
}

/** Its environment is kept beyond its end: nobody who starts it may have one, or the file has said what it is. */
export const keepsEnvironment = ({ options }: JobRecord): boolean =>
  options.autostart === true || options.file_env !== undefined;

/** What starts it again when it ends; undefined when nothing does. */
export const policyOf = ({ restart }: JobOptions): RestartPolicy | undefined =>
  restart?.when === "no" ? undefined : restart;

/** A job of a warren.yaml is marked to come back after a reboot while a policy keeps it up; any other as `--autostart` said. */
export function marked(options: JobOptions, isKeptUp: boolean): JobOptions {
  if (options.file_env === undefined) return options;
  const { autostart: _, ...rest } = options;
  return isKeptUp ? { ...rest, autostart: true } : rest;
}

/** What a person calls it. */
export const labelOf = ({ id, name }: JobRecord): string => name ?? id;
