import {
  bootId,
  environValues,
  fileSizeLimitOf,
  hasEnded,
  listProcesses,
  type ProcessIdentity,
  type ProcessInfo,
} from "../platform/process.ts";
import { carriesTag } from "./shim.ts";

/**
 * Finds every process of a run, also those that tried to get away. A process belongs to the run when it
 *
 *   1. has the run's tag in its environment (WARREN_RUN_TAG: ids repeat between homes, tags do not) or as its soft RLIMIT_FSIZE (which survives
 *      `env -i`),
 *   2. is in the job's session or group, or in one that a member leads,
 *   3. is the child of a member or of the shim, or
 *   4. was found to belong before, and is still the same process.
 *
 * Invariant: never a stranger. The number of a session or group is trusted only while the job itself holds it (same start time) or a member by another
 * rule is in it: the kernel does not give a number out again while a group still has it. A process that started before the job is never a member.
 */
export interface RunMarks {
  runId: string;
  tag: number;
  job: ProcessIdentity;
  /** Pid 0: it has none. */
  shim: ProcessIdentity;
  /** Members of an earlier search. */
  known?: readonly ProcessKey[] | undefined;
  /** Processes of our own that were started inside this run (a server, a keeper); neither they nor their children are members. */
  exempt?: readonly number[] | undefined;
}

export type ProcessKey = Pick<ProcessIdentity, "pid" | "startTicks">;

export const isSame = (a: ProcessKey, b: ProcessKey | undefined): boolean =>
  b !== undefined && a.pid === b.pid && a.startTicks === b.startTicks;

/** The processes at one moment, for one search or for several: what a process carries is read once, when somebody asks. */
export class ProcessView {
  readonly all: ReadonlyMap<number, ProcessInfo> = new Map(listProcesses().map((info) => [info.pid, info]));
  readonly #tags = new Map<number, readonly string[]>();
  readonly #limits = new Map<number, number | undefined>();

  /** It is the shim that sets the limit: without one only the environment is read. */
  carries(pid: number, { tag, shim }: RunMarks): boolean {
    if (shim.pid !== 0 && this.#isLimitedTo(pid, tag)) return true;
    const tags = this.#tags.get(pid) ?? environValues(pid, "WARREN_RUN_TAG");
    this.#tags.set(pid, tags);
    return tags.includes(String(tag));
  }

  #isLimitedTo(pid: number, tag: number): boolean {
    if (!this.#limits.has(pid)) this.#limits.set(pid, fileSizeLimitOf(pid));
    return carriesTag(this.#limits.get(pid), tag);
  }
}

/** Living members in the order of their start; without the shim, this process and zombies. About 5 µs for each process that is younger than the job. */
export function findMembers(marks: RunMarks, view = new ProcessView()): ProcessInfo[] {
  if (marks.job.bootId !== bootId()) return [];
  const { all } = view;
  const candidates = [...all.values()].filter((info) => isCandidate(info, marks));
  const members = new Map<number, ProcessInfo>();
  for (const info of candidates) if (isMarked(info, marks, view)) members.set(info.pid, info);

  // Ids that stand for the run: of its members, and of the shim and the job while these hold them.
  const parents = new Set<number>(members.keys());
  const groups = new Set<number>(members.keys());
  if (isSame(marks.shim, all.get(marks.shim.pid))) parents.add(marks.shim.pid);
  if (isSame(marks.job, all.get(marks.job.pid)) || hasMemberIn(members, marks.job.pid)) groups.add(marks.job.pid);
  for (let grew = true; grew; ) {
    grew = false;
    for (const info of candidates) {
      if (members.has(info.pid)) continue;
      if (!parents.has(info.ppid) && !groups.has(info.pgid) && !groups.has(info.sid)) continue;
      members.set(info.pid, info);
      parents.add(info.pid);
      groups.add(info.pid);
      grew = true;
    }
  }
  return [...members.values()].sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
}

function isCandidate(info: ProcessInfo, marks: RunMarks): boolean {
  return (
    info.startTicks >= marks.job.startTicks &&
    !hasEnded(info) &&
    info.pid !== process.pid &&
    !isSame(marks.shim, info) &&
    !marks.exempt?.includes(info.pid)
  );
}

function isMarked(info: ProcessInfo, marks: RunMarks, view: ProcessView): boolean {
  return (
    isSame(info, marks.job) || marks.known?.some((key) => isSame(key, info)) === true || view.carries(info.pid, marks)
  );
}

function hasMemberIn(members: ReadonlyMap<number, ProcessInfo>, id: number): boolean {
  for (const info of members.values()) if (info.pgid === id || info.sid === id) return true;
  return false;
}
