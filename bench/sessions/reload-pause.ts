import type { Case } from "../cases/case.ts";
import { time } from "../timed.ts";
import { withHosts } from "./hosts.ts";
import { Terminal } from "./terminal.ts";

const PAUSE_MS = 50;
const SESSIONS = 20;
/** Writes a number each millisecond. */
const TICKER = `let n = 0; setInterval(() => process.stdout.write((n += 1) + "\\r\\n"), 1); process.stdout.write("READY\\r\\n")`;

/** The longest time in which an attached client sees nothing, during a reload. tmux has no such thing. */
export const reloadPause: Case = {
  name: "reload-pause",
  run: (bench) =>
    withHosts(bench.stage, "reload", async (_, warren) => {
      const count = bench.quick ? 3 : SESSIONS;
      for (let at = 0; at < count; at++) await warren.start(`s${at}`, [bench.stage.node, "-e", TICKER]);
      const terminals = Array.from(
        { length: Math.min(5, count) },
        (_unused, at) => new Terminal(warren.attach(`s${at}`)),
      );
      for (const terminal of terminals) await terminal.shows("\n");
      const pauses: number[] = [];
      for (let round = 0; round < (bench.quick ? 2 : 20); round++) {
        const watched = terminals.map((terminal) => new Gap(terminal));
        await time(warren.command("reload"));
        await new Promise((wake) => setTimeout(wake, 300));
        pauses.push(...watched.map((gap) => gap.stop()));
      }
      for (const terminal of terminals) terminal[Symbol.dispose]();
      return {
        title: `Reload, ${count} sessions that write all the time`,
        rows: [
          {
            what: "longest pause at an attached client",
            unit: "ms",
            target: { atMost: PAUSE_MS, of: "p99" },
            measured: [{ subject: "warren", samples: pauses }],
          },
        ],
      };
    }),
};

/** Looks each millisecond whether there was something new. */
class Gap {
  #longestMs = 0;
  #lastMs = performance.now();
  #lastBytes: number;
  readonly #timer: NodeJS.Timeout;

  constructor(terminal: Terminal) {
    this.#lastBytes = terminal.bytes;
    this.#timer = setInterval(() => {
      if (terminal.bytes === this.#lastBytes) return;
      this.#lastBytes = terminal.bytes;
      const nowMs = performance.now();
      this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
    }, 1);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#longestMs;
  }
}
