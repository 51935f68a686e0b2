import { EXIT } from "../protocol/outcome.ts";
import type { Context } from "./context.ts";
import { showWait } from "./render/wait-line.ts";

/** One wait, from its line on the terminal to how it ended: of a job, a session and a worker alike. */
export interface OneWait<Result extends { result: string }> {
  /** On the terminal while it waits: `web: waiting for port 3000`. */
  line: string;
  /** What goes on when the person stops waiting: `job web`. */
  goesOn: string;
  json: boolean | undefined;
  /** Nothing is said of what came true. */
  quiet: boolean | undefined;
  ask(signal: AbortSignal): Promise<Result>;
  say(result: Result): void | Promise<void>;
  statusOf(result: Result): number;
}

/** The status that `statusOf` gives, or 130 at Ctrl-C. @throws what `ask` does */
export async function oneWait<Result extends { result: string }>(
  context: Context,
  { line: text, goesOn, json, quiet, ask, say, statusOf }: OneWait<Result>,
): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  const line = showWait(output, { what: text, expectedMs: undefined });
  try {
    const result = await ask(interrupted);
    line.erase();
    if (json) output.json(result);
    else if (!quiet || result.result !== "met") await say(result);
    return statusOf(result);
  } catch (error) {
    line.erase();
    if (!interrupted.aborted) throw error;
    output.errorLine(`Stopped waiting; ${goesOn} goes on.`);
    return EXIT.interrupted;
  }
}
