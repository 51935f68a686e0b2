/**
 * What Claude Code says to a hook on standard input, as far as mail needs it (https://code.claude.com/docs/en/hooks). It is text from outside: whatever is
 * not as documented counts as not said.
 */
const HOOK_EVENTS = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export interface HookInput {
  event: HookEvent;
  sessionId: string;
  cwd?: string;
  /** Of `Stop`: the agent goes on because a hook has said so. */
  isStopActive: boolean;
  /** A helper of the agent's, with a context of its own. */
  isSubagent: boolean;
}

const SESSION_ID_CHARACTERS_MAX = 256;

/** Undefined for what is no event of ours. */
export function hookInputOf(text: string): HookInput | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { hook_event_name, session_id, cwd, stop_hook_active, agent_id } = value as Record<string, unknown>;
  const event = HOOK_EVENTS.find((name) => name === hook_event_name);
  if (!event || typeof session_id !== "string" || session_id === "") return undefined;
  if (session_id.length > SESSION_ID_CHARACTERS_MAX) return undefined;
  return {
    event,
    sessionId: session_id,
    ...(typeof cwd === "string" && cwd.startsWith("/") ? { cwd } : {}),
    isStopActive: stop_hook_active === true,
    isSubagent: typeof agent_id === "string",
  };
}
