import type { HookEvent } from "./hook-input.ts";

/** What a hook says: the text for standard output or error, and its exit status. Nothing at all is the usual answer. */
export interface HookAnswer {
  stdout?: string;
  stderr?: string;
  status: 0 | 2;
  /** Called when it was written. */
  written?: () => void;
}

export const NOTHING: HookAnswer = { status: 0 };

/** Text that stands beside the user's words (`additionalContext`). */
export function contextAnswer(event: Exclude<HookEvent, "Stop">, text: string, written?: () => void): HookAnswer {
  const said = { hookSpecificOutput: { hookEventName: event, additionalContext: text } };
  return { status: 0, stdout: `${JSON.stringify(said)}\n`, ...(written ? { written } : {}) };
}

/** The agent goes on, with `text` as the reason. */
export const blockAnswer = (text: string, written: () => void): HookAnswer => ({
  status: 0,
  stdout: `${JSON.stringify({ decision: "block", reason: text })}\n`,
  written,
});

/** An idle agent is woken by status 2 of a hook in the background, and reads what that wrote to standard error. */
export const wakeAnswer = (text: string, written: () => void): HookAnswer => ({
  status: 2,
  stderr: `${text}\n`,
  written,
});
