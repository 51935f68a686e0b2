import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { messageOf } from "../protocol/errors.ts";
import { CONTROL, type ServerSpec } from "../protocol/keeper-calls.ts";
import { LineSplitter } from "../protocol/lines.ts";

/** A start that says nothing for this long has failed. */
const START_TIMEOUT_MS = 20_000;
/** A generation that does not end after `drain` is killed: its state is on disk. */
const DRAIN_TIMEOUT_MS = 5_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why there was no process at all: no descriptors, no memory. */
  error?: string;
}

/** One process of a server: started with the listening socket as fd 3 and a control line as fd 4, its output to its log. */
export class Generation {
  readonly number: number;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Resolved when another may serve in its place while it still ends. */
  readonly replaced = Promise.withResolvers<Exit>();
  /** 0 until it serves. */
  readyAtMs = 0;
  /** It was killed because it said nothing in time: its end counts as a failed start. */
  isLate = false;
  /** It has said that its server is over. */
  isLeaving = false;
  #isDraining = false;
  readonly #child: ChildProcess | undefined;
  readonly #control: Socket | undefined;
  readonly #said = { warm: Promise.withResolvers<boolean>(), ready: Promise.withResolvers<boolean>() };

  constructor({ command, logPath }: ServerSpec, number: number, listenFd: number, env: NodeJS.ProcessEnv) {
    this.number = number;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exited = promise;
    const fail = (error: unknown): void => resolve({ code: 127, signal: null, error: messageOf(error) });
    const log = openLog(logPath);
    const [file = "", ...args] = command;
    try {
      this.#child = spawn(file, [...args, "--generation", String(number)], {
        cwd: "/",
        detached: true,
        env,
        stdio: ["ignore", log, log, listenFd, "pipe"],
      });
      // With its last word, which may be read after its end; the control line is no child's of it.
      this.#child.on("error", fail).on("close", (code, signal) => resolve({ code, signal }));
    } catch (error) {
      fail(error);
    }
    if (log !== "ignore") closeSync(log);
    this.pid = this.#child?.pid ?? 0;
    this.#control = this.#child?.stdio?.[4] as Socket | undefined; // without a descriptor for it there is none
    this.#control?.on("error", () => {});
    const lines = new LineSplitter(64);
    this.#control?.on("data", (chunk: Buffer) => {
      for (const word of lines.push(chunk)) {
        if (word === CONTROL.leaving) this.isLeaving = true;
        if (word === CONTROL.free && this.#isDraining) this.replaced.resolve({ code: 0, signal: null });
        if (word === CONTROL.ready) this.readyAtMs = performance.now();
        if (word === CONTROL.warm || word === CONTROL.ready) this.#said[word].resolve(true);
      }
    });
  }

  /** True once it has said so; false when it ended before, if need be because it was killed for its silence. */
  async says(word: "warm" | "ready"): Promise<boolean> {
    const timer = setTimeout(() => {
      this.isLate = true;
      this.kill();
    }, START_TIMEOUT_MS);
    const isSaid = await Promise.race([this.#said[word].promise, this.exited.then(() => false)]);
    clearTimeout(timer);
    return isSaid;
  }

  go(): void {
    this.#control?.write(`${CONTROL.go}\n`);
  }

  /** Resolves when it has ended: after finishing what is in hand, or at once when it does not serve yet. */
  async end(drainMs = DRAIN_TIMEOUT_MS): Promise<void> {
    if (this.readyAtMs === 0) this.kill();
    else this.#control?.write(`${CONTROL.drain}\n`);
    this.#isDraining = true;
    const timer = setTimeout(() => this.kill(), drainMs);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }
}

/** Where a server's log cannot be opened (a full disk, a directory that was removed) it serves all the same. */
function openLog(path: string): number | "ignore" {
  try {
    return openSync(path, "a", 0o600);
  } catch {
    return "ignore";
  }
}
