import { createContext, Script } from "node:vm";
import { WarrenError } from "../protocol/errors.ts";

/**
 * A condition's regular expression, tried in the server on what a program prints: so it may take neither long nor for ever, whatever it says and whatever is
 * printed. Of a job's line it is tried on the first 4 kB, of a session's output on one text; one that takes longer than LINE_MS for a line or text is an error.
 */
export class LinePattern {
  readonly #pattern: RegExp;

  /** @throws PATTERN_INVALID */
  constructor({ pattern, flags }: { pattern: string; flags?: string | undefined }) {
    this.#pattern = compile(pattern, flags);
  }

  /** Whether one of them matches; looks at about PIECE_MS of them at a time, others have their turn in between. @throws PATTERN_SLOW */
  async matchesOne(lines: readonly Buffer[]): Promise<boolean> {
    return this.#matchesOneOf(
      lines.map((bytes) => bytes.toString("utf8", 0, Math.min(bytes.length, TESTED_BYTES_MAX))),
    );
  }

  /** Whether it matches in this text, which has whole lines and parts of them. @throws PATTERN_SLOW */
  matches(text: string): Promise<boolean> {
    return this.#matchesOneOf([text]);
  }

  async #matchesOneOf(texts: string[]): Promise<boolean> {
    let spentMs = 0; // on one piece: a process that the system did not let run for a while has looked at little, and looks again
    for (let at = 0; at < texts.length; ) {
      const looked = this.#lookFrom(texts, at);
      if (looked === "found") return true;
      spentMs = looked.at > at ? 0 : spentMs + looked.spentMs;
      if (spentMs > LINE_MS / 2) throw slow(this.#pattern);
      at = looked.at;
      await new Promise((turn) => setImmediate(turn));
    }
    return false;
  }

  /** Where to go on, and the processor time that it took. */
  #lookFrom(lines: string[], at: number): "found" | { at: number; spentMs: number } {
    const before = process.threadCpuUsage();
    Object.assign(sandbox, { pattern: this.#pattern, lines, at });
    try {
      const next = look.runInContext(sandbox, { timeout: LINE_MS }) as number;
      return next < 0 ? "found" : { at: next, spentMs: 0 };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      const { user, system } = process.threadCpuUsage(before);
      return { at, spentMs: (user + system) / 1_000 };
    } finally {
      Object.assign(sandbox, { pattern: undefined, lines: undefined });
    }
  }
}

const TESTED_BYTES_MAX = 4 * 1024;
const LINE_MS = 100;
const PIECE_MS = 10;

/** A context of its own, because only what runs in one can be stopped in the midst of a match. */
const sandbox = createContext({});
const look = new Script(`
  (() => {
    const tried = pattern, all = lines, until = Date.now() + ${PIECE_MS};
    let next = at;
    while (next < all.length) {
      if (tried.test(all[next])) return -1;
      next += 1;
      if (Date.now() >= until) break;
    }
    return next;
  })()
`);

const slow = (pattern: RegExp): WarrenError =>
  new WarrenError("PATTERN_SLOW", `${pattern} took more than ${LINE_MS} ms for one piece of the output.`, {
    fix: "a pattern without nested repetition: /listening on/ in the place of /(.*)*listening/",
  });

function compile(pattern: string, flags: string | undefined): RegExp {
  try {
    return new RegExp(pattern, flags?.replaceAll(/[gy]/g, ""));
  } catch (cause) {
    throw new WarrenError("PATTERN_INVALID", `/${pattern}/${flags ?? ""} is not a regular expression.`, {
      cause,
      fix: "warren help wait",
    });
  }
}
