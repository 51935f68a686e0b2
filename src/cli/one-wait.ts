import { EXIT } from "../protocol/outcome.ts";
import type { Job } from "../protocol/units.ts";
import type { Context } from "./context.ts";
import { exitStatusOfWait, type WaitResult } from "./exit-status.ts";
import { showWait } from "./render/wait-line.ts";

/** What a person asks of any wait. */
export interface WaitAsked {
  mode: "any" | "all";
  timeoutMs: number | undefined;
  json?: boolean | undefined;
  /** Nothing is said of what came true. */
  quiet?: boolean | undefined;
}

/** One wait, from its line on the terminal to how it ended: of a job, a session and a worker alike. */
export interface OneWait<Result extends { result: WaitResult }> extends Pick<WaitAsked, "json" | "quiet"> {
  /** On the terminal while it waits: `web: waiting for port 3000`. */
  line: string;
  /** What goes on when the person stops waiting: `job web`. */
  goesOn: string;
  ask(signal: AbortSignal): Promise<Result>;
  say(result: Result): void | Promise<void>;
  /** How it ended, where its end was waited for: the wait ends likewise. */
  endOf?(result: Result): Job["outcome"];
}

/**
 * 0 when it holds, or the status of the end that was waited for; 124 at the timeout; 121 when the job seems stuck; 1 when it cannot come true any more; 130 at
 * Ctrl-C. @throws what `ask` does
 */
export async function oneWait<Result extends { result: WaitResult }>(
  context: Context,
  { line: text, goesOn, json, quiet, ask, say, endOf }: OneWait<Result>,
): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  const line = showWait(output, { what: text, expectedMs: undefined });
  try {
    const result = await ask(interrupted);
    line.erase();
    if (json) output.json(result);
    else if (!quiet || result.result !== "met") await say(result);
    return exitStatusOfWait(result.result, endOf?.(result) ?? null);
  } catch (error) {
    line.erase();
    if (!interrupted.aborted) throw error;
    output.errorLine(`Stopped waiting; ${goesOn} goes on.`);
    return EXIT.interrupted;
  }
}
