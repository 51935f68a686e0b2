import { randomInt } from "node:crypto";
import { readdirSync } from "node:fs";
import { rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../../platform/directories.ts";
import type { Log } from "../../platform/log.ts";
import { isAlive, type ProcessIdentity, type ProcessInfo } from "../../platform/process.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Outcome, SignalledBy } from "../../protocol/outcome.ts";
import { filesOfAttempt } from "../../runs/exec-exact.ts";
import { findAttempt, invalidateAttempt } from "../../runs/find-attempt.ts";
import { launch } from "../../runs/launch.ts";
import { logPaths, type RunLogPaths } from "../../runs/logs/files.ts";
import { watchRun } from "../../runs/logs/order-sampler.ts";
import { lookAtRun } from "../../runs/look-at-run.ts";
import { outcomeOf, type SentSignal } from "../../runs/outcome.ts";
import { SharedSearches } from "../../runs/shared-searches.ts";
import { StatusWatch } from "../../runs/status-watch.ts";
import { stopTree } from "../../runs/stop.ts";
import { findMembers, type ProcessView, type RunMarks } from "../../runs/tree.ts";
import { removeOldLogs } from "./old-logs.ts";

/**
 * The processes of a project's instances: each a run under a shim, which belongs to nobody. Starts them, finds them again after a restart of the server,
 * tells each end once, and ends whole trees. What should run is decided elsewhere.
 *
 * Invariants
 * 1. The caller has written an instance's mark (`tag`) down before `start`, so that whatever comes of it can be found by the next server.
 * 2. An instance whose process cannot be confirmed by `takeUp` never starts late.
 * 3. Logs of what has ended stay, up to `ENDED_KEPT` instances of each worker.
 * 4. `onEnded` is called once for each instance that was started or taken up, after the end is known; not after `signal` is aborted.
 */
export interface InstanceRunsOptions {
  /** Status files and logs: `<dir>/status`, `<dir>/logs`. */
  dir: string;
  nodePath: string;
  log: Log;
  /** `leftCount`: processes that its first one has left behind; they are there until `stop`. */
  onEnded: (instance: string, outcome: Outcome, leftCount: number) => void;
  /** It has a mark: its logs stay. */
  isKnown: (instance: string) => boolean;
  /** For tests that let one fail. */
  searches?: SharedSearches;
}

export interface InstanceStart {
  id: string;
  tag: number;
  /** The worker's name: WARREN_UNIT. */
  unit: string;
  command: readonly string[];
  workdir: string;
  env: readonly string[];
  /** A bound socket that the program may listen on; the caller closes its copy afterwards. */
  listenFd?: number;
}

/** Below 2^47: `LaunchRequest.tag`. */
export const newTag = (): number => randomInt(2 ** 47);

const SWEEP_MS = 1_000;
const TAKE_UP_MS = 2_000;
const LOOK_MS = 10;
/** Ends after which old logs are looked for. */
const TIDY_EVERY = 10;

interface Live {
  marks: RunMarks;
  statusPath: string;
  sent: SentSignal[];
  over: AbortController;
  stopping: Promise<number[]> | undefined;
  /** Its first process has ended, and others of its tree have not. */
  isLeft: boolean;
}

export class InstanceRuns {
  readonly #options: InstanceRunsOptions;
  readonly #signal: AbortSignal;
  readonly #statusDir: string;
  readonly #logsDir: string;
  readonly #live = new Map<string, Live>();
  readonly #searches: SharedSearches;
  #endedCount = 0;
  #isTidying = false;

  constructor(options: InstanceRunsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#searches = options.searches ?? new SharedSearches();
    this.#statusDir = join(options.dir, "status");
    this.#logsDir = join(options.dir, "logs");
  }

  /** Begins to watch. */
  async open(): Promise<void> {
    for (const dir of [this.#statusDir, this.#logsDir]) makeDirectories(dir, 0o700);
    const watch = new StatusWatch({ directory: this.#statusDir, onChange: (id) => void this.#check(id) });
    await watch.start(this.#signal);
    const timer = setInterval(() => this.#sweep(), SWEEP_MS);
    timer.unref();
    this.#signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  logsOf(instance: string): RunLogPaths {
    return logPaths(this.#logsDir, instance);
  }

  /** Resolves with its first process once that exists. @throws what `launch` says; nothing is left then */
  async start(start: InstanceStart): Promise<ProcessIdentity> {
    const { id, tag, unit, command, workdir, env, listenFd } = start;
    const statusPath = this.#statusPath(id);
    const { stdoutPath, stderrPath } = this.logsOf(id);
    const { job, shim, shimEnded } = await launch(
      {
        runId: id,
        unit,
        command,
        workdir,
        env,
        stdoutPath,
        stderrPath,
        statusPath,
        tag,
        ...(listenFd === undefined ? {} : { listenFd }),
      },
      { nodePath: this.#options.nodePath },
    );
    this.#follow(id, { runId: id, tag, job, shim });
    void shimEnded.then(() => this.#check(id));
    void this.#check(id);
    return job;
  }

  /** An instance that a server before has started, or was about to. Undefined: it has no process, and gets none. Its end is told as any other's. */
  async takeUp(id: string, tag: number): Promise<ProcessIdentity | undefined> {
    const statusPath = this.#statusPath(id);
    const deadlineMs = performance.now() + TAKE_UP_MS;
    for (;;) {
      const attempt = await findAttempt(statusPath, id);
      if (attempt.kind === "started") {
        this.#follow(id, { runId: id, tag, job: attempt.job, shim: attempt.shim });
        void this.#check(id);
        return attempt.job;
      }
      if (attempt.kind === "absent" || performance.now() > deadlineMs) break;
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
    return (await invalidateAttempt(statusPath)) === "started" ? this.takeUp(id, tag) : undefined;
  }

  /** Status files of instances that nobody knows any more. */
  async forgetOthers(known: ReadonlySet<string>): Promise<void> {
    for (const file of readdirSync(this.#statusDir)) {
      const id = file.replace(/\.1\.status.*$/, "");
      if (!known.has(id)) await rm(join(this.#statusDir, file), { force: true });
    }
  }

  /** Its first process has not ended, as far as is known. */
  runs(id: string): boolean {
    return this.#live.get(id)?.isLeft === false;
  }

  /** Undefined when it is not known, or has ended. */
  firstPidOf(id: string): number | undefined {
    const live = this.#live.get(id);
    return live && !live.isLeft && isAlive(live.marks.job) ? live.marks.job.pid : undefined;
  }

  /** Every process of it, its first one too. Empty when it has ended. */
  membersOf(id: string, view?: ProcessView): ProcessInfo[] {
    const live = this.#live.get(id);
    return live ? findMembers(live.marks, view) : [];
  }

  /** Ends the whole tree; resolves with who survived SIGKILL, usually nobody. A second call joins the first. @throws what reading the processes says */
  async stop(id: string, { graceMs, by = "stop" }: { graceMs: number; by?: SignalledBy }): Promise<number[]> {
    const live = this.#live.get(id);
    if (!live) return [];
    // Noted before it is sent: the end may be read before the stop comes back.
    live.sent.push({ signal: "SIGTERM", by }, { signal: "SIGKILL", by });
    live.stopping ??= this.#stopTree(live, graceMs);
    const survivors = await live.stopping;
    if (live.isLeft && survivors.length === 0) this.#live.delete(id);
    await this.#check(id);
    return survivors;
  }

  /** One that failed is not joined: the next call tries again. */
  async #stopTree(live: Live, graceMs: number): Promise<number[]> {
    try {
      const { survivors } = await stopTree(live.marks, { graceMs, force: graceMs === 0, find: this.#searches.find });
      return survivors;
    } finally {
      live.stopping = undefined;
    }
  }

  #follow(id: string, marks: RunMarks): void {
    const over = new AbortController();
    this.#live.set(id, { marks, statusPath: this.#statusPath(id), sent: [], over, stopping: undefined, isLeft: false });
    watchRun({ ...this.logsOf(id), signal: AbortSignal.any([over.signal, this.#signal]) });
  }

  async #check(id: string): Promise<void> {
    const live = this.#live.get(id);
    if (!live || live.isLeft || this.#signal.aborted) return;
    const { marks, statusPath, sent } = live;
    try {
      const found = await lookAtRun({ statusPath, job: marks.job, shim: marks.shim });
      if (found.kind === "runs") return;
      const outcome: Outcome =
        found.kind === "lost"
          ? { kind: "lost", reason: "shim killed" }
          : outcomeOf({ exitStatus: found.status.exitStatus, shellWord: found.status.shellWord, sent });
      this.#end(id, live, outcome);
    } catch (error) {
      this.#options.log.error("status_unreadable", { instance: id, error: messageOf(error) }); // the sweep looks again
    }
  }

  #end(id: string, live: Live, outcome: Outcome): void {
    if (this.#live.get(id) !== live || live.isLeft || this.#signal.aborted) return;
    const leftCount = findMembers(live.marks).length;
    live.isLeft = leftCount > 0;
    if (!live.isLeft) this.#live.delete(id);
    live.over.abort();
    this.#options.onEnded(id, outcome, leftCount);
    this.#endedCount += 1;
    if (this.#endedCount % TIDY_EVERY === 0) this.#tidy();
    for (const path of filesOfAttempt(live.statusPath)) void unlink(path).catch(() => {});
  }

  #tidy(): void {
    if (this.#isTidying) return;
    this.#isTidying = true;
    const { isKnown, log } = this.#options;
    void removeOldLogs(this.#logsDir, (id) => this.#live.has(id) || isKnown(id))
      .catch((error) => log.warn("old_logs_not_removed", { error: messageOf(error) }))
      .finally(() => {
        this.#isTidying = false;
      });
  }

  /** For the ends that nobody reports: of a shim that was killed, of an instance that another server started. */
  #sweep(): void {
    for (const [id, { marks, isLeft }] of this.#live) if (!isLeft && !isAlive(marks.shim)) void this.#check(id);
  }

  #statusPath(id: string): string {
    return join(this.#statusDir, `${id}.1.status`);
  }
}
