import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { messageOf } from "../../protocol/errors.ts";

/**
 * Keeps one standby: a process of the leader's own build that waits for its death. It belongs to nobody: when the leader dies it lives on, and leads. When
 * it dies another is started.
 */
export interface StandbyOptions {
  /** Starts it; default: this program with `--standby-of`. */
  spawn?: () => ChildProcess;
  clock: Clock;
  log: Log;
}

const RESTART = { firstMs: 50, maxMs: 10_000 };
/** One that lived so long was a good one. */
const GOOD_AFTER_MS = 5_000;

export class Standby {
  readonly #options: StandbyOptions;
  readonly #backoff = new Backoff(RESTART);
  #child: ChildProcess | undefined;
  #cancelStart = (): void => {};
  #isEnding = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#isEnding) return;
    const { clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    let child: ChildProcess | undefined;
    let isGone = false;
    const onGone = (why: Record<string, unknown>): void => {
      if (isGone) return;
      isGone = true;
      if (this.#child === child) this.#child = undefined;
      if (this.#isEnding) return;
      log.warn("standby_ended", { pid: child?.pid, ...why });
      if (clock.monotonicMs() - startedMs >= GOOD_AFTER_MS) this.#backoff.reset();
      this.#cancelStart = clock.timer(this.#backoff.nextMs(), () => this.start());
    };
    try {
      child = (this.#options.spawn ?? spawnStandby)();
    } catch (error) {
      return onGone({ error: messageOf(error) }); // no process can be had now
    }
    this.#child = child;
    child.unref();
    child.once("error", (error) => onGone({ error: error.message }));
    child.once("close", (status, signal) => onGone({ status, signal }));
  }

  /** It goes, and no other comes. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    this.#cancelStart();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once("close", () => resolve()).ref();
      child.kill("SIGKILL"); // it holds nothing
    });
  }
}

/** This program again, in a session of its own. */
function spawnStandby(): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, process.argv[1]!, "--standby-of", `${process.pid}`], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
  });
}
