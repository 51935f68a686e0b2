import type { ItemOf } from "../../protocol/conversation.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { suggest } from "../../protocol/suggest.ts";

interface LoginMethod {
  id: string;
  name: string;
}

export const agentNeedsLogin = (methods: readonly LoginMethod[]): WarrenError =>
  new WarrenError(
    "AGENT_NEEDS_LOGIN",
    methods.length === 0
      ? "The agent wants a login and offers no way to log in."
      : `The agent wants a login first: ${methods.map(({ id, name }) => (id === name ? id : `${id} (${name})`)).join(", ")}.`,
    { detail: { methods: methods.map(({ id, name }) => ({ id, name })) } },
  );

export const loginFailed = (methodId: string, why: string): WarrenError =>
  new WarrenError("AGENT_LOGIN_FAILED", `The agent refused the login by ${methodId}: ${why}.`);

export const agentBusy = (queuedCount: number): WarrenError =>
  new WarrenError("AGENT_BUSY", `The agent is working, and ${queuedCount} prompts wait already.`);

export const agentNotAnswering = (method: string, afterMs: number): WarrenError =>
  new WarrenError("AGENT_NOT_ANSWERING", `The agent has not answered ${method} in ${afterMs} ms.`);

export const agentSpeaksGarbage = (text: string): WarrenError =>
  new WarrenError(
    "AGENT_SPEAKS_GARBAGE",
    `The program does not speak the Agent Client Protocol; it wrote ${JSON.stringify(text)}.`,
  );

export const agentEnded = (): WarrenError => new WarrenError("AGENT_ENDED", "The agent's program has ended.");

export const agentDetached = (): WarrenError =>
  new WarrenError("AGENT_DETACHED", "This server no longer steers the agent; ask again.");

export const agentRefused = (method: string, code: number, message: string): WarrenError =>
  new WarrenError("AGENT_REFUSED", `The agent refused ${method}: ${message} (${code}).`, { detail: { method, code } });

export const agentProtocol = (version: number | null, ours: number): WarrenError =>
  new WarrenError(
    "AGENT_PROTOCOL",
    `The agent speaks version ${version ?? "?"} of the Agent Client Protocol, we speak ${ours}.`,
  );

export const cannotResume = (sessionId: string, why: string): WarrenError =>
  new WarrenError("AGENT_CANNOT_RESUME", `The agent cannot take up its session ${sessionId}: ${why}.`, {
    detail: { session_id: sessionId },
  });

export const notReady = (): WarrenError =>
  new WarrenError("AGENT_NOT_READY", "The agent's session is not open yet; ask again when it is.");

export const questionNotFound = (itemId: string): WarrenError =>
  new WarrenError("QUESTION_NOT_FOUND", `The agent has asked no question ${itemId}.`);

/** Somebody was faster, or the turn was cancelled. */
export const permissionResolved = (
  question: Pick<ItemOf<"permission">, "id" | "state" | "option_id" | "by">,
): WarrenError => {
  const { id, state, option_id, by } = question;
  const how = state === "answered" ? `answered with ${option_id}${by === undefined ? "" : ` by ${by}`}` : "cancelled";
  return new WarrenError("PERMISSION_RESOLVED", `The question ${id} was ${how} already.`, {
    detail: { state, ...(option_id === undefined ? {} : { option_id }), ...(by === undefined ? {} : { by }) },
  });
};

export const optionUnknown = (choice: string, options: readonly { optionId: string; kind: string }[]): WarrenError =>
  new WarrenError(
    "OPTION_UNKNOWN",
    `The question has no answer "${choice}"; it has ${options.map(({ optionId, kind }) => `${optionId} (${kind})`).join(", ") || "none"}.`,
    { detail: { options: options.map(({ optionId }) => optionId) } },
  );

export const modeUnknown = (modeId: string, known: readonly string[]): WarrenError =>
  new WarrenError(
    "MODE_UNKNOWN",
    `The agent has no mode "${modeId}"; it has ${known.join(", ") || "none"}${near(modeId, known)}.`,
  );

export const promptEmpty = (): WarrenError => new WarrenError("PROMPT_EMPTY", "The prompt is empty.");

/** `cancel` came before it was sent. */
export const promptCancelled = (): WarrenError =>
  new WarrenError("PROMPT_CANCELLED", "The prompt was cancelled before the agent got it.");

export const promptUnsupported = (type: string): WarrenError =>
  new WarrenError("PROMPT_UNSUPPORTED", `The agent takes no content of type "${type}".`);

export const promptTooLong = (bytes: number, bytesMax: number): WarrenError =>
  new WarrenError("PROMPT_TOO_LONG", `The prompt has ${bytes} bytes; ${bytesMax} is the most.`);

function near(word: string, known: readonly string[]): string {
  const found = suggest(word, known);
  return found ? `. Did you mean ${found}?` : "";
}
