import type { WriteStream } from "node:tty";
import type { Terminal } from "../terminal/terminal.ts";

export interface TuiPrograms {
  /** Shows a session in this terminal until it is left or has ended; resolves with an exit status. */
  attach(id: string, options: { isViewer: boolean }): Promise<number>;
}

/** The terminal goes to a session and comes back: one at a time, and meanwhile nothing is drawn and nothing is asked. */
export interface HandoverOptions {
  terminal: Terminal;
  stdout: WriteStream;
  /** Draws the whole screen. */
  redraw: () => void;
  /** What asks servers again and again. */
  feeds: readonly { setShown(isShown: boolean): void }[];
  programs: TuiPrograms;
  signal: AbortSignal;
}

export class Handover {
  readonly #options: HandoverOptions;
  #attaching: Promise<void> | undefined;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Rejects when it cannot be attached to; the screen is back then too. */
  attach(id: string, isViewer: boolean): Promise<void> {
    if (this.#attaching) return this.#attaching;
    this.#attaching = this.#handOver(id, isViewer).finally(() => {
      this.#attaching = undefined;
    });
    return this.#attaching;
  }

  /** Resolves when the terminal is not a session's. */
  async over(): Promise<void> {
    await this.#attaching?.catch(() => {});
  }

  async #handOver(id: string, isViewer: boolean): Promise<void> {
    const { terminal, stdout, redraw, feeds, programs, signal } = this.#options;
    const listeners = stdout.listeners("error");
    terminal.close();
    for (const feed of feeds) feed.setShown(false);
    try {
      await programs.attach(id, { isViewer });
    } finally {
      // A shown session leaves its listener on the way out, for what is written last; with each visit there would be one more.
      for (const listener of stdout.listeners("error") as (() => void)[])
        if (!listeners.includes(listener)) stdout.off("error", listener);
      if (!signal.aborted) {
        terminal.open();
        redraw();
        for (const feed of feeds) feed.setShown(true);
      }
    }
  }
}
