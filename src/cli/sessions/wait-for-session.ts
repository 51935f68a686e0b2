import { formatDuration } from "../../protocol/durations.ts";
import { unreachable } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { SessionCondition } from "../../protocol/units.ts";
import { parseCondition } from "../conditions.ts";
import type { Context } from "../context.ts";
import { oneWait, type WaitAsked } from "../one-wait.ts";
import { exitCodeText } from "../render/job-text.ts";
import { shown, usageError } from "../usage-error.ts";
import { type SessionHandle, sessionTitle } from "./session-client.ts";

/** `warren wait` for a session: its own conditions, the statuses of every wait. */
export const SESSION_CONDITION_HELP = "exit, idle, needs-you, log=TEXT, log=/RE/";

export interface WaitForSession extends WaitAsked {
  conditions: readonly SessionCondition[];
  /** As they were typed. */
  texts: readonly string[];
  /** The offset of output from which a text is looked for; default: from now on. */
  since?: number;
}

/** With the status of `oneWait`. */
export async function waitForSession(context: Context, handle: SessionHandle, wanted: WaitForSession): Promise<number> {
  const { texts, mode, timeoutMs, json, quiet } = wanted;
  const conditions = [...wanted.conditions];
  const what = texts.join(mode === "any" ? " or " : " and ");
  const limit = timeoutMs === undefined ? {} : { timeout_ms: timeoutMs };
  return oneWait<DataOf<"session.wait">>(context, {
    line: `${handle.name}: waiting for ${what}`,
    goesOn: handle.name,
    json,
    quiet,
    ask: async (signal) => {
      // Said at the beginning: on another server, or in another process, it is not "from now on" again.
      const since = wanted.since ?? (await outputBytesOf(handle, conditions));
      const from = since === undefined ? {} : { since };
      const asked = { session: handle.id, conditions, mode, ...limit, ...from };
      return handle.client.request("session.wait", asked, { signal });
    },
    say: (result) => say(context, result, what, timeoutMs),
    endOf: ({ met, session }) => (met.some(({ kind }) => kind === "exit") ? session.outcome : null),
  });
}

async function outputBytesOf(
  { client, id }: SessionHandle,
  conditions: SessionCondition[],
): Promise<number | undefined> {
  if (!conditions.some(({ kind }) => kind === "output")) return undefined;
  const { session } = await client.request("session.get", { session: id });
  return session.output_bytes;
}

/** What is typed behind `flag`. @throws USAGE */
export function sessionCondition(flag: string, text: string): SessionCondition {
  if (text === "exit" || text === "idle") return { kind: text };
  if (text === "needs-you" || text === "needs_you") return { kind: "needs_you" };
  if (text.startsWith("log=")) {
    const parsed = parseCondition(flag, text);
    if (parsed.kind === "log")
      return {
        kind: "output",
        pattern: parsed.pattern,
        ...(parsed.flags === undefined ? {} : { flags: parsed.flags }),
      };
  }
  throw usageError(`${flag} ${shown(text)} is no condition of a session. One of: ${SESSION_CONDITION_HELP}.`);
}

function say(
  context: Context,
  { session, met, result }: DataOf<"session.wait">,
  what: string,
  timeoutMs: number | undefined,
): void {
  const { output } = context;
  const title = sessionTitle(context, session);
  if (result === "timeout") output.errorLine(`${title} goes on: waited ${formatDuration(timeoutMs ?? 0)} for ${what}`);
  else if (result === "ended") output.errorLine(`${title} ended before ${what}: ${exitCodeText(session.outcome)}`);
  else output.line(`${title} ${met.map((one) => metText(one, session)).join(", ")}`);
}

function metText(condition: SessionCondition, session: DataOf<"session.wait">["session"]): string {
  switch (condition.kind) {
    case "exit":
      return `ended: ${exitCodeText(session.outcome)}`;
    case "idle":
      return "is idle";
    case "needs_you":
      return `needs you${session.attention ? `: ${session.attention}` : ""}`;
    case "output":
      return `has written what /${condition.pattern}/ means`;
    default:
      return unreachable(condition);
  }
}
