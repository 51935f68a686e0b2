import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { messageOf } from "../../protocol/errors.ts";
import { environmentOf } from "../../runs/environment.ts";

/**
 * A worker's own build: a child in a process group of its own, so that all of it ends when it is cancelled, takes too long, or leaves something behind.
 * What it says, to stdout and stderr, is kept from the end.
 */
export interface BuildCommandOptions {
  command: readonly string[];
  dir: string;
  /** Its whole environment, "KEY=value" each. */
  env: readonly string[];
  /** Milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
  clock?: Clock;
}

export type BuildCommandEnd =
  | { kind: "done"; output: string[] }
  /** `message`: how it ended. */
  | { kind: "failed"; message: string; output: string[] }
  | { kind: "cancelled" };

const OUTPUT_LINES_MAX = 100;
const OUTPUT_CHARACTERS_MAX = 64 * 1024;
/** From SIGTERM to SIGKILL; nobody waits for a build that is not wanted any more. */
const GRACE_MS = 1_000;
/** For what it has said last to come through, once it has ended. */
const DRAIN_MS = 500;

export async function runBuildCommand(options: BuildCommandOptions): Promise<BuildCommandEnd> {
  const { command, dir, env, timeoutMs, signal, clock = systemClock } = options;
  if (signal.aborted) return { kind: "cancelled" };
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: dir,
    env: { ...environmentOf(env), PWD: dir },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const tail = new Tail(child);
  let isLate = false;
  const ending = new Ending(child, clock);
  const cancelTimeout = clock.timer(timeoutMs, () => {
    isLate = true;
    ending.begin();
  });
  signal.addEventListener("abort", ending.begin, { once: true });
  try {
    const [status, signalName] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    await drained(child, clock, ending);
    if (signal.aborted) return { kind: "cancelled" };
    const output = tail.lines();
    if (isLate) return { kind: "failed", message: `The build took longer than ${timeoutMs / 1000} s.`, output };
    if (status === 0) return { kind: "done", output };
    const how = signalName ? `was ended by ${signalName}` : `ended with status ${status}`;
    return { kind: "failed", message: `\`${command.join(" ")}\` ${how}.`, output };
  } catch (error) {
    return { kind: "failed", message: `\`${command.join(" ")}\` cannot be started: ${messageOf(error)}.`, output: [] };
  } finally {
    cancelTimeout();
    ending.over();
    signal.removeEventListener("abort", ending.begin);
  }
}

/** Takes down what it has left in its group, then gives what was said the time to arrive: a stranger may hold the pipes open for ever. */
async function drained(child: ChildProcess, clock: Clock, ending: Ending): Promise<void> {
  ending.kill();
  const closed = Promise.withResolvers<void>();
  child.once("close", () => closed.resolve());
  const cancel = clock.timer(DRAIN_MS, () => closed.resolve());
  if (child.stdout?.destroyed && child.stderr?.destroyed) closed.resolve();
  await closed.promise;
  cancel();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

class Ending {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
  }

  readonly begin = (): void => {
    if (this.#cancel) return;
    this.#signal("SIGTERM");
    this.#cancel = this.#clock.timer(GRACE_MS, () => this.kill());
  };

  kill(): void {
    this.#signal("SIGKILL");
  }

  over(): void {
    this.#cancel?.();
  }

  /** Its group, which has its pid for as long as anybody is in it. */
  #signal(name: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      // nobody is left
    }
  }
}

class Tail {
  #text = "";

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8");
      stream?.on("data", (chunk: string) => {
        this.#text = (this.#text + chunk).slice(-OUTPUT_CHARACTERS_MAX);
      });
      stream?.on("error", () => {});
    }
  }

  lines(): string[] {
    return this.#text.split(/\r?\n/).filter(Boolean).slice(-OUTPUT_LINES_MAX);
  }
}
