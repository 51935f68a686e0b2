import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Command } from "../timed.ts";
import { Terminal } from "./terminal.ts";

/**
 * Types into a session and waits for each key's echo, in a process of its own: what this process has to do with a flood that it reads is nobody's echo.
 * The session's program gives every key back in upper case.
 */
export class Typist implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when the program has said READY. */
  static async start(attach: Command): Promise<Typist> {
    const child = fork(fileURLToPath(import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.send(attach);
    await once(child, "message");
    return new Typist(child);
  }

  begin(): void {
    this.#child.send("begin");
  }

  /** Milliseconds from each key to its echo. */
  async end(): Promise<number[]> {
    this.#child.send("end");
    const [echoesMs] = (await once(this.#child, "message")) as [number[]];
    return echoesMs;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

const PAUSE_MS = 10;

async function typeAndWait(terminal: Terminal, isOver: () => boolean): Promise<number[]> {
  const echoesMs: number[] = [];
  for (let count = 0; !isOver(); count++) {
    const key = String.fromCharCode(97 + (count % 26));
    terminal.forget();
    const typedMs = performance.now();
    terminal.type(key);
    await terminal.shows(key.toUpperCase());
    echoesMs.push(performance.now() - typedMs);
    await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
  return echoesMs;
}

const say = (message: unknown): unknown => process.send?.(message);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [attach] = (await once(process, "message")) as [Command];
  using terminal = new Terminal(attach);
  await terminal.shows("READY");
  say("ready");
  await once(process, "message");
  let isOver = false;
  process.once("message", () => {
    isOver = true;
  });
  say(await typeAndWait(terminal, () => isOver));
  process.disconnect?.();
}
