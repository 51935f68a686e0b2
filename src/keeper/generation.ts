import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { CONTROL, type ServerSpec } from "../protocol/keeper-calls.ts";
import { LineSplitter } from "../protocol/lines.ts";

/**
 * One process of a server: started with the listening socket as fd 3 and a control line as fd 4, its output to its log.
 * `warm`, `ready` and `exited` each settle once; the first two resolve false when the process ended before.
 */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class Generation {
  readonly spec: ServerSpec;
  readonly number: number;
  readonly warm: Promise<boolean>;
  readonly ready: Promise<boolean>;
  readonly exited: Promise<Exit>;
  readyAtMs = 0;
  /** It was killed because it said nothing in time: its end counts as a failed start. */
  isLate = false;
  readonly #child: ChildProcess;
  readonly #control: Socket;

  constructor(spec: ServerSpec, number: number, listenFd: number, env: NodeJS.ProcessEnv) {
    this.spec = spec;
    this.number = number;
    const log = openLog(spec.logPath);
    const [file = "", ...args] = spec.command;
    this.#child = spawn(file, [...args, "--generation", String(number)], {
      cwd: "/",
      detached: true,
      env,
      stdio: ["ignore", log, log, listenFd, "pipe"],
    });
    if (log !== "ignore") closeSync(log);
    this.#control = this.#child.stdio[4] as Socket;
    this.#control.on("error", () => {});
    const warm = Promise.withResolvers<boolean>();
    const ready = Promise.withResolvers<boolean>();
    const exited = Promise.withResolvers<Exit>();
    const end = (exit: Exit): void => {
      exited.resolve(exit);
      warm.resolve(false);
      ready.resolve(false);
    };
    this.warm = warm.promise;
    this.ready = ready.promise;
    this.exited = exited.promise;
    const lines = new LineSplitter(64);
    this.#control.on("data", (chunk: Buffer) => {
      for (const word of lines.push(chunk)) {
        if (word === CONTROL.warm) warm.resolve(true);
        if (word === CONTROL.ready) {
          this.readyAtMs = performance.now();
          ready.resolve(true);
        }
      }
    });
    this.#child.on("error", () => end({ code: 127, signal: null }));
    this.#child.on("exit", (code, signal) => end({ code, signal }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  tell(word: "go" | "drain"): void {
    this.#control.write(`${word}\n`);
  }

  giveUp(): void {
    this.isLate = !this.hasExited;
    this.#child.kill("SIGKILL");
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
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
