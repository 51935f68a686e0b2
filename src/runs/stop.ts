import { constants } from "node:os";
import { type Clock, systemClock } from "../platform/clock.ts";
import { pause } from "../platform/pause.ts";
import { hasEnded, type ProcessInfo, readProcess, signalNumber } from "../platform/process.ts";
import { signalAll } from "./deliver.ts";
import { findMembers, isSame, type ProcessKey, type RunMarks } from "./tree.ts";

export interface StopOptions {
  /** Sent first; default SIGTERM. */
  signal?: string | number;
  /** From the signal to SIGKILL; default 10 000. */
  graceMs?: number;
  /** SIGKILL at once. */
  force?: boolean;
  /** Gives the wait up (what was sent stays sent): rejects with its reason. */
  abort?: AbortSignal;
  clock?: Clock;
  /** How members are found while they are given time; default `findMembers`. Those that stop many trees at once share one `SharedSearches`. */
  find?: (marks: RunMarks) => ProcessInfo[] | Promise<ProcessInfo[]>;
}

export interface Stopped {
  /** Pids that SIGKILL did not end: another user's, or stuck in the kernel. */
  survivors: number[];
  /** SIGKILL was sent. */
  escalated: boolean;
}

const GRACE_MS = 10_000;
/** For the kernel to end what got SIGKILL; past it, survivors are reported. */
const KILL_DEADLINE_MS = 5_000;
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 50;
/** A search can miss a child that is born during it; one that finds nothing twice has missed nobody. */
const EMPTY_SEARCHES = 2;
/** Searches in a row without yielding while a tree is being frozen. */
const FREEZE_ROUNDS_MAX = 20;

/**
 * Sends the signal to every process of the run and resolves when all of them are gone; after the grace period kills what is left. The shim is never
 * signalled: it ends by itself once it has written the status down.
 *
 * @throws UNKNOWN_SIGNAL.
 */
export async function stopTree(marks: RunMarks, options: StopOptions = {}): Promise<Stopped> {
  const stop = new TreeStop(marks, options);
  if (!options.force && (await stop.politely(signalNumber(options.signal ?? "SIGTERM"), options.graceMs ?? GRACE_MS))) {
    return { survivors: [], escalated: false };
  }
  return stop.byForce();
}

class TreeStop {
  readonly #marks: RunMarks;
  readonly #clock: Clock;
  readonly #abort: AbortSignal | undefined;
  readonly #find: NonNullable<StopOptions["find"]>;
  /** Every member ever found: children stay known when the parent that led to them is gone. */
  readonly #known = new Map<number, ProcessKey>();

  constructor(marks: RunMarks, options: StopOptions) {
    this.#marks = marks;
    this.#clock = options.clock ?? systemClock;
    this.#abort = options.abort;
    this.#find = options.find ?? ((wanted) => findMembers(wanted));
    for (const key of marks.known ?? []) this.#known.set(key.pid, key);
  }

  /** True when the tree is gone. A member outside the group that is found later gets the signal too; one in the group was born of a handler. */
  async politely(signal: number, graceMs: number): Promise<boolean> {
    const deadlineMs = this.#clock.monotonicMs() + graceMs;
    let members = this.#noted(await this.#find(this.#marksNow));
    const signalled = new Map<number, ProcessKey>();
    this.#signal(members, signal);
    for (let emptyCount = 0, pauseMs = FIRST_PAUSE_MS; ; ) {
      for (const member of members) signalled.set(member.pid, member);
      if (members.length === 0) {
        emptyCount += 1;
        if (emptyCount === EMPTY_SEARCHES) return true;
      } else {
        emptyCount = 0;
        const leftMs = deadlineMs - this.#clock.monotonicMs();
        if (leftMs <= 0) return false;
        await this.#pause(Math.min(pauseMs, leftMs));
        pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS);
        if (members.some(isThere)) continue;
      }
      members = this.#noted(await this.#find(this.#marksNow));
      const late = members.filter((member) => !isSame(member, signalled.get(member.pid)));
      signalAll(
        this.#marks,
        late.filter((member) => member.pgid !== this.#marks.job.pid),
        signal,
      );
    }
  }

  async byForce(): Promise<Stopped> {
    const deadlineMs = this.#clock.monotonicMs() + KILL_DEADLINE_MS;
    let escalated = false;
    for (let emptyCount = 0; emptyCount < EMPTY_SEARCHES; ) {
      const members = this.#freeze();
      if (members.length === 0) {
        emptyCount += 1;
        continue;
      }
      emptyCount = 0;
      if (this.#clock.monotonicMs() > deadlineMs) return { survivors: members.map(({ pid }) => pid), escalated };
      escalated = true;
      signalAll(this.#marks, members, constants.signals.SIGKILL);
      await this.#pause(FIRST_PAUSE_MS);
    }
    return { survivors: [], escalated };
  }

  /** Stops members until a search finds no new one: what is stopped cannot fork, so that SIGKILL then meets a tree that holds still. */
  #freeze(): ProcessInfo[] {
    const frozen = new Map<number, ProcessKey>();
    for (let round = 0; ; round += 1) {
      const members = this.#noted(findMembers(this.#marksNow)); // at once: meanwhile it forks
      const running = members.filter((member) => !isSame(member, frozen.get(member.pid)));
      if (running.length === 0 || round === FREEZE_ROUNDS_MAX) return members;
      signalAll(this.#marks, running, constants.signals.SIGSTOP);
      for (const member of running) frozen.set(member.pid, member);
    }
  }

  get #marksNow(): RunMarks {
    return { ...this.#marks, known: [...this.#known.values()] };
  }

  #noted(members: ProcessInfo[]): ProcessInfo[] {
    for (const { pid, startTicks } of members) this.#known.set(pid, { pid, startTicks });
    return members;
  }

  /** A member that is stopped (Ctrl-Z, SIGSTOP) would take the signal only when it is continued. */
  #signal(members: readonly ProcessInfo[], signal: number): void {
    signalAll(this.#marks, members, signal);
    const stopped = members.filter(({ state }) => state === "T");
    if (stopped.length > 0) signalAll(this.#marks, stopped, constants.signals.SIGCONT);
  }

  #pause(delayMs: number): Promise<void> {
    return pause(this.#clock, delayMs, this.#abort);
  }
}

function isThere(member: ProcessInfo): boolean {
  const now = readProcess(member.pid);
  return isSame(member, now) && !hasEnded(now!);
}
