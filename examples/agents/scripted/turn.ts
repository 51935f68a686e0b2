import { existsSync } from "node:fs";
import { watch } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Hands } from "./hands.ts";
import { type Fields, type Peer, RpcError } from "./peer.ts";
import { readBytes, readMs, readReplacement, type Step } from "./script.ts";
import type { StoredSession } from "./store.ts";

export interface TurnContext {
  session: StoredSession;
  peer: Peer;
  hands: Hands;
  /** Aborted by session/cancel. */
  signal: AbortSignal;
}

/** A step that ends the turn before its script does. */
class TurnEnds extends Error {}

const CHUNK_CHARS = 16;
const FLOOD_CHUNK_BYTES = 64 * 1024;

/** Plays the steps; the reason why the turn has ended. */
export async function playTurn(steps: readonly Step[], context: TurnContext): Promise<string> {
  try {
    for (const { verb, rest } of steps) {
      context.signal.throwIfAborted();
      await STEPS[verb]?.(rest, context);
    }
    return "end_turn";
  } catch (error) {
    if (context.signal.aborted) return "cancelled";
    if (error instanceof TurnEnds) return error.message;
    throw error;
  }
}

/** Says it to the client, and keeps it for one that loads the session. */
export function tell({ session, peer }: Pick<TurnContext, "session" | "peer">, update: Fields): void {
  session.history.push(update);
  peer.notify("session/update", { sessionId: session.id, update });
}

const STEPS: Record<string, (rest: string, context: TurnContext) => Promise<void> | void> = {
  say: (text, context) => speak("agent_message_chunk", text, context),
  think: (text, context) => speak("agent_thought_chunk", text, context),
  wait: async (text, { signal }) => {
    await delay(readMs(text), undefined, { signal });
  },
  until: (path, { session, signal }) => untilThere(join(session.cwd, path), signal),
  title: (title, context) => tell(context, { sessionUpdate: "session_info_update", title }),
  mode: (currentModeId, context) => tell(context, { sessionUpdate: "current_mode_update", currentModeId }),
  usage: (text, context) => {
    const [used = 0, size = 0] = text.split(/\s+/).map(Number);
    tell(context, { sessionUpdate: "usage_update", used, size });
  },
  plan: (text, context) => tell(context, { sessionUpdate: "plan", entries: text.split(";").map(planEntry) }),
  read: (path, context) =>
    useTool(context, `Read ${path}`, "read", path, async (file) => {
      const content = await context.hands.read(file);
      return { content: [textContent(content)] };
    }),
  write: (text, context) => {
    const [path = "", ...words] = text.split(" ");
    return useTool(context, `Write ${path}`, "edit", path, async (file) => {
      await context.hands.write(file, `${words.join(" ")}\n`);
      return { content: [{ type: "diff", path: file, newText: `${words.join(" ")}\n` }] };
    });
  },
  edit: (text, context) => {
    const [path = "", ...change] = text.split(" ");
    const { from, to } = readReplacement(change.join(" "));
    return useTool(context, `Edit ${path}`, "edit", path, async (file) => {
      const oldText = await context.hands.read(file);
      const newText = oldText.replace(from, () => to);
      await context.hands.write(file, newText);
      return { content: [{ type: "diff", path: file, oldText, newText }] };
    });
  },
  run: async (command, context) => {
    const toolCallId = beginTool(context, command, "execute");
    const { output, exitCode } = await context.hands.run(command, context.session.cwd, (terminalId) =>
      updateTool(context, toolCallId, { status: "in_progress", content: [{ type: "terminal", terminalId }] }),
    );
    const status = exitCode === 0 ? "completed" : "failed";
    updateTool(context, toolCallId, { status, rawOutput: { exitCode, output } });
  },
  ask,
  flood: (text, context) => {
    for (let left = readBytes(text); left > 0; left -= FLOOD_CHUNK_BYTES) {
      tell(context, chunk("agent_message_chunk", "x".repeat(Math.min(left, FLOOD_CHUNK_BYTES))));
    }
  },
  line: (text, context) => tell(context, chunk("agent_message_chunk", "y".repeat(readBytes(text)))),
  garbage: (text) => {
    process.stdout.write(`${text || "this is no message"}\n`);
  },
  "unknown-method": async (_, context) => {
    const code = await context.peer.request("_scripted/unknown", {}).catch(({ code }: RpcError) => code);
    speak("agent_message_chunk", `unknown method: ${code}`, context);
  },
  "unknown-update": (_, context) => tell(context, { sessionUpdate: "_scripted_unknown", value: 1 }),
  fail: (text) => {
    throw new RpcError(-32603, text || "it failed");
  },
  refuse: () => {
    throw new TurnEnds("refusal");
  },
  hang: () => new Promise<void>(() => setInterval(() => {}, 60_000)),
  crash: () => {
    process.kill(process.pid, "SIGKILL");
  },
  exit: (text) => process.exit(Number(text || 1)),
};

/** `ask "deploy?" allow|deny`: goes on when it is allowed, ends the turn when not. */
async function ask(text: string, context: TurnContext): Promise<void> {
  const [, question = "may I?", choices = "allow|deny"] = /^"([^"]*)"\s*(\S*)$/.exec(text) ?? [];
  const toolCallId = beginTool(context, question, "other");
  const options = (choices || "allow|deny").split("|").map((name) => ({ optionId: name, name, kind: kindOf(name) }));
  const params = {
    sessionId: context.session.id,
    toolCall: { toolCallId, title: question, status: "pending" },
    options,
  };
  const { outcome } = await context.peer.request("session/request_permission", params);
  const { outcome: kind, optionId } = outcome as { outcome: string; optionId?: string };
  const isAllowed = kind === "selected" && kindOf(optionId ?? "").startsWith("allow");
  updateTool(context, toolCallId, { status: isAllowed ? "completed" : "failed" });
  context.signal.throwIfAborted();
  if (kind === "cancelled") throw new TurnEnds("cancelled");
  if (!isAllowed) {
    speak("agent_message_chunk", `Not done: ${question}`, context);
    throw new TurnEnds("end_turn");
  }
}

/** Resolves when there is such a file; nothing runs meanwhile. */
async function untilThere(path: string, cancelled: AbortSignal): Promise<void> {
  const there = new AbortController();
  const signal = AbortSignal.any([cancelled, there.signal]);
  const look = (): void => {
    if (existsSync(path)) there.abort();
  };
  const watching = watchEach(dirname(path), look, signal);
  look(); // it watches already
  await watching;
  cancelled.throwIfAborted();
}

async function watchEach(dir: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of watch(dir, { signal })) onChange();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function kindOf(name: string): string {
  if (name === "always") return "allow_always";
  if (name === "never") return "reject_always";
  return name === "deny" || name === "no" ? "reject_once" : "allow_once";
}

function speak(sessionUpdate: string, text: string, context: TurnContext): void {
  for (let at = 0; at < text.length; at += CHUNK_CHARS)
    tell(context, chunk(sessionUpdate, text.slice(at, at + CHUNK_CHARS)));
}

const textContent = (text: string): Fields => ({ type: "content", content: { type: "text", text } });

const chunk = (sessionUpdate: string, text: string): Fields => ({ sessionUpdate, content: { type: "text", text } });

/** `[x] done`, `[~] in hand`, `to do`. */
function planEntry(text: string): Fields {
  const [, mark, content = text] = /^\s*\[([x~ ])\]\s*(.*)$/.exec(text) ?? [];
  const status = mark === "x" ? "completed" : mark === "~" ? "in_progress" : "pending";
  return { content: content.trim(), priority: "medium", status };
}

function beginTool(context: TurnContext, title: string, kind: string, locations: Fields[] = []): string {
  const toolCallId = `${context.session.id}-${++context.session.toolCount}`;
  tell(context, { sessionUpdate: "tool_call", toolCallId, title, kind, status: "pending", locations });
  return toolCallId;
}

function updateTool(context: TurnContext, toolCallId: string, fields: Fields): void {
  tell(context, { sessionUpdate: "tool_call_update", toolCallId, ...fields });
}

async function useTool(
  context: TurnContext,
  title: string,
  kind: string,
  path: string,
  use: (file: string) => Promise<Fields>,
): Promise<void> {
  const file = isAbsolute(path) ? path : join(context.session.cwd, path);
  const toolCallId = beginTool(context, title, kind, [{ path: file }]);
  try {
    updateTool(context, toolCallId, { status: "completed", ...(await use(file)) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    updateTool(context, toolCallId, { status: "failed", content: [textContent(message)] });
  }
}
