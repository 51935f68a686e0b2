import { formatDuration } from "../../protocol/durations.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Context } from "../context.ts";
import { showWait } from "../render/wait-line.ts";
import type { Speaker } from "./open-mail.ts";

/** A wait is asked again after so long: the leader holds none for longer. */
const WAIT_STEP_MS = 45_000;

export interface UntilMail {
  /** Undefined: for ever. */
  timeoutMs: number | undefined;
  from?: string | undefined;
  thread?: string | undefined;
}

/** Resolves when something unread is there, with a look at it. @throws TIMEOUT, INTERRUPTED */
export async function untilMail(
  context: Context,
  { client, who }: Speaker,
  { timeoutMs, from, thread }: UntilMail,
): Promise<DataOf<"mail.fetch">> {
  const of = { ...(from === undefined ? {} : { from }), ...(thread === undefined ? {} : { thread }) };
  return inSteps(
    context,
    { timeoutMs, what: `mail for ${who.name}`, fix: "warren mail wait" },
    async (waitMs, signal) => {
      const answer = await client.request(
        "mail.fetch",
        { as: who.name, peek: true, wait_ms: waitMs, ...of },
        { signal },
      );
      return answer.messages.length > 0 ? answer : undefined;
    },
  );
}

/** Asks again and again, each time for at most `WAIT_STEP_MS`, until there is an answer. @throws TIMEOUT, INTERRUPTED */
export async function inSteps<T>(
  context: Context,
  { timeoutMs, what, fix }: { timeoutMs: number | undefined; what: string; fix: string },
  ask: (waitMs: number, signal: AbortSignal) => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  const interrupted = context.interrupted();
  const line = showWait(context.output, { what: `waiting for ${what}`, expectedMs: undefined });
  try {
    for (;;) {
      const leftMs = Math.max(0, deadlineMs - performance.now());
      const answer = await ask(Math.ceil(Math.min(WAIT_STEP_MS, leftMs)), interrupted);
      if (answer !== undefined) return answer;
      if (performance.now() >= deadlineMs) {
        throw new WarrenError("TIMEOUT", `Nothing came in ${formatDuration(timeoutMs ?? 0)}: ${what}.`, { fix });
      }
    }
  } catch (error) {
    if (!isWarrenError(error, "ABORTED")) throw error;
    throw new WarrenError("INTERRUPTED", `You stopped waiting for ${what}; nothing is lost.`, { fix, cause: error });
  } finally {
    line.erase();
  }
}
