import { constants } from "node:os";
import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";
import type { Port } from "../protocol/units.ts";
import * as darwin from "./darwin.ts";
import * as linux from "./linux.ts";

/**
 * What the kernel knows of processes: who they are, whether they live, what they use, and the names of signals.
 *
 * A pid alone names nobody, since the kernel gives it out again. A process is named by its boot, pid and start time together; everything that
 * outlives a moment (a database row, a signal to be sent later) keeps a `ProcessIdentity`.
 *
 * All of it reads /proc without waiting: memory, about 5 µs a process.
 */

export interface ProcessIdentity {
  /** The kernel's random id of this boot. */
  bootId: string;
  pid: number;
  /** Clock ticks from boot to its start (proc_pid_stat(5), field 22); unchanged by exec. */
  startTicks: number;
}

export interface ProcessInfo {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  /** The process group that its terminal listens to (field 8); -1 without a terminal, 0 where the system does not tell. */
  foregroundGroup: number;
  /** One letter: R, S, D, T, t, Z, X, I. */
  state: string;
  startTicks: number;
  /** The kernel's name of it, at most 15 bytes. */
  comm: string;
  /** Its own user and system time. */
  cpuTicks: number;
  /** The time of its children that have ended and been waited for, and of theirs. */
  reapedCpuTicks: number;
  rssBytes: number;
}

/** What each system must offer; `linux.ts` is what we claim. */
export interface ProcessTable {
  readonly ticksPerSecond: number;
  bootId(): string;
  readProcess(pid: number): ProcessInfo | undefined;
  listProcesses(): ProcessInfo[];
  commandLines(): string[];
  environValues(pid: number, name: string): string[];
  fileSizeLimitOf(pid: number): number | undefined;
  listeningPorts(pids: readonly number[]): Port[];
  listeningTcpPorts(): Set<number>;
}

const system: ProcessTable = process.platform === "darwin" ? darwin : linux;

/** Of the system's present boot, which this process does not outlive: asked once. */
export function bootId(): string {
  knownBootId ||= system.bootId();
  return knownBootId;
}

let knownBootId = "";

/** Undefined when there is no such process. A zombie is still there, with state Z. */
export const readProcess = (pid: number): ProcessInfo | undefined => system.readProcess(pid);

export const listProcesses = (): ProcessInfo[] => system.listProcesses();

/** Of all processes that may be looked at: program and arguments, blanks between them. */
export const commandLines = (): string[] => system.commandLines();

/** What it was started with under that name in its environment, mostly one value or none; none for another user's process. */
export const environValues = (pid: number, name: string): string[] => system.environValues(pid, name);

/** Whether it was started with exactly `assignment` ("KEY=value") in its environment; false for another user's process. */
export function environHas(pid: number, assignment: string): boolean {
  const at = assignment.indexOf("=");
  return environValues(pid, assignment.slice(0, at)).includes(assignment.slice(at + 1));
}

/** The soft RLIMIT_FSIZE in bytes, Infinity when unlimited; undefined when it is gone or the system does not tell. */
export const fileSizeLimitOf = (pid: number): number | undefined => system.fileSizeLimitOf(pid);

/** The TCP ports on which these processes listen and the UDP ports that they have bound, ordered by port. */
export const listeningPorts = (pids: readonly number[]): Port[] => system.listeningPorts(pids);

/** The TCP ports on which anybody on this machine listens. */
export const listeningTcpPorts = (): Set<number> => system.listeningTcpPorts();

export const identityOf = (info: { pid: number; startTicks: number }): ProcessIdentity => ({
  bootId: bootId(),
  pid: info.pid,
  startTicks: info.startTicks,
});

/** A zombie has ended: it only waits for its parent to read how. */
export const hasEnded = (info: Pick<ProcessInfo, "state">): boolean =>
  info.state === "Z" || info.state === "X" || info.state === "x";

/** False for a zombie, for a recycled pid, and for a process of an earlier boot. True where nobody can look, for want of descriptors, and it may be there. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const info = readProcess(identity.pid);
  if (info === undefined) return canBeSignalled(identity.pid);
  return info.startTicks === identity.startTicks && !hasEnded(info);
}

function canBeSignalled(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether the pid is anybody's: it may be a zombie's, or given anew. A twentieth of the work of `isAlive`. */
export function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Sums of a tree: processor time with that of reaped children, and resident memory (shared pages are counted in each). */
export function usageOf(infos: readonly ProcessInfo[]): { cpuMs: number; rssBytes: number } {
  let ticks = 0;
  let rssBytes = 0;
  for (const info of infos) {
    ticks += info.cpuTicks + info.reapedCpuTicks;
    rssBytes += info.rssBytes;
  }
  return { cpuMs: Math.round((ticks * 1000) / system.ticksPerSecond), rssBytes };
}

/** Realtime signals have numbers up to here and no name in Node's table. */
const SIGNAL_NUMBER_MAX = 64;

/**
 * Accepts 1, "1", "HUP", "hup" and "SIGHUP".
 * @throws UNKNOWN_SIGNAL with the names that are near.
 */
export function signalNumber(signal: string | number): number {
  const number = typeof signal === "number" || /^\d+$/.test(signal) ? Number(signal) : numberOfName(signal);
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > SIGNAL_NUMBER_MAX) {
    throw unknownSignal(signal);
  }
  return number;
}

/** "SIGHUP" for 1; "SIG40" for a realtime signal. */
export function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return known?.[0] ?? `SIG${number}`;
}

function numberOfName(name: string): number | undefined {
  const full = fullName(name);
  const table: Record<string, number> = constants.signals;
  if (Object.hasOwn(table, full)) return table[full];
  const realtime = /^SIG(\d+)$/.exec(full);
  return realtime ? Number(realtime[1]) : undefined;
}

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith("SIG") ? upper : `SIG${upper}`;
}

function unknownSignal(signal: string | number): WarrenError {
  const bareNames = Object.keys(constants.signals).map((name) => name.slice("SIG".length));
  const near = typeof signal === "string" ? suggest(fullName(signal).slice("SIG".length), bareNames) : undefined;
  const candidates = near === undefined ? [] : [near];
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  return new WarrenError("UNKNOWN_SIGNAL", `There is no signal ${JSON.stringify(signal)}.${hint}`, {
    fix: "kill -l",
    detail: { candidates },
  });
}
