import pty, { type IPty } from "@lydell/node-pty";
import type { Command } from "../timed.ts";

/** A terminal of 80 × 24 in which a command runs, and whose output is looked at. */
export class Terminal implements Disposable {
  readonly #pty: IPty;
  #output = "";
  #bytes = 0;
  readonly #watchers = new Set<() => void>();
  readonly exited: Promise<void>;

  constructor({ file, args, cwd, env }: Command) {
    this.#pty = pty.spawn(file, [...args], {
      cols: 80,
      rows: 24,
      cwd,
      env: { ...env, TERM: "xterm-256color" } as Record<string, string>,
    });
    this.#pty.onData((text) => {
      this.#output = (this.#output + text).slice(-KEPT_CHARACTERS);
      this.#bytes += text.length;
      for (const look of this.#watchers) look();
    });
    this.exited = new Promise((resolve) => this.#pty.onExit(() => resolve()));
  }

  get bytes(): number {
    return this.#bytes;
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** Reads no more, or again. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#pty.pause();
    else this.#pty.resume();
  }

  /** Resolves once the last part of the output has that text. */
  shows(text: string, deadlineMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(this.#output.slice(-500))}`));
      }, deadlineMs);
      const look = (): void => {
        if (!this.#output.includes(text)) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  forget(): void {
    this.#output = "";
  }

  [Symbol.dispose](): void {
    this.#pty.kill("SIGKILL");
  }
}

const KEPT_CHARACTERS = 64 * 1024;
