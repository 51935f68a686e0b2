import type {
  ContentBlock,
  ConversationItem,
  ItemOf,
  PlanEntry,
  ToolContent,
  ToolLocation,
} from "../../protocol/conversation.ts";
import { cutText } from "../../protocol/cut-text.ts";
import { clip, clipTitle, TEXT_CHARS_MAX } from "./clip.ts";
import { asFields, asList, asText, type Fields } from "./json-rpc.ts";
import type { NewItem, Timeline } from "./timeline.ts";

/**
 * What the agent and the person say to each other, as items: messages that grow by chunks, tool calls and plans that are replaced.
 *
 * A chunk goes to the message with its `messageId`; without one, to the message of its kind that nothing has followed yet. A tool call is found by its
 * `toolCallId`, and one that nobody announced begins with the update. A chunk that repeats the prompt of the running turn is no new message.
 */
type MessageKind = "user_message" | "agent_message" | "thought";

export interface TranscriptState {
  open: { kind: MessageKind; id: string } | null;
  /** By kind and messageId. */
  messages: [key: string, itemId: string][];
  /** By toolCallId. */
  tools: [key: string, itemId: string][];
  plan: string | null;
  echo: string;
}

const KIND_OF_CHUNK: ReadonlyMap<unknown, MessageKind> = new Map([
  ["user_message_chunk", "user_message"],
  ["agent_message_chunk", "agent_message"],
  ["agent_thought_chunk", "thought"],
]);

export class Transcript {
  readonly #timeline: Timeline;
  #open: TranscriptState["open"] = null;
  #messages = new Map<string, string>();
  #tools = new Map<string, string>();
  #plan: string | null = null;
  /** What of the running turn's prompt the agent may still repeat. */
  #echo = "";

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The person's prompt; the item's id. */
  prompt(prompt: readonly Fields[], about: { request_id?: string; by?: string }): string {
    this.endMessages();
    const content = readBlocks(prompt);
    this.#echo = prompt.map(({ text }) => asText(text) ?? "").join("");
    return this.#timeline.begin("user_message", { content, ...about });
  }

  /** What comes next begins a message of its own. */
  endMessages(): void {
    this.#open = null;
    this.#plan = null;
    this.#echo = "";
  }

  /** True when `update` is one of those that this class knows. */
  update(update: Fields): boolean {
    const name = asText(update.sessionUpdate) ?? "";
    const chunkKind = KIND_OF_CHUNK.get(name);
    if (chunkKind) this.#chunk(chunkKind, update);
    else if (name === "tool_call" || name === "tool_call_update") this.tool(update);
    else if (name === "plan") this.#replacePlan(update);
    else if (name === "notice") this.#notice(update);
    else return false;
    return true;
  }

  /** Upserts a tool call; its item's id, or undefined when it has no toolCallId. */
  tool(update: Fields): string | undefined {
    const callId = asText(update.toolCallId);
    if (callId === undefined) return undefined;
    const known = this.#tools.get(callId);
    const fields = readTool(update);
    if (known !== undefined) {
      this.#timeline.change(known, "tool_call", fields);
      return known;
    }
    this.#open = null;
    const id = this.#timeline.begin("tool_call", { ...newTool(callId), ...fields });
    this.#tools.set(callId, id);
    return id;
  }

  /** Tool calls that have not ended will not: the turn was cancelled, or the agent is gone. */
  endTools(status: "cancelled" | "failed"): void {
    for (const id of this.#tools.values()) {
      const item = this.#timeline.get(id, "tool_call");
      if (item && (item.status === "pending" || item.status === "in_progress")) {
        this.#timeline.change(id, "tool_call", { status });
      }
    }
  }

  /** The conversation no longer holds this item. */
  forget(item: ConversationItem): void {
    if (item.kind === "tool_call") this.#tools.delete(item.tool_call_id);
    if (this.#open?.id === item.id) this.#open = null;
    if (this.#plan === item.id) this.#plan = null;
    for (const [key, id] of this.#messages) if (id === item.id) this.#messages.delete(key);
  }

  snapshot(): TranscriptState {
    return {
      open: this.#open,
      messages: [...this.#messages],
      tools: [...this.#tools],
      plan: this.#plan,
      echo: this.#echo,
    };
  }

  restore({ open, messages, tools, plan, echo }: TranscriptState): void {
    this.#open = open;
    this.#messages = new Map(messages);
    this.#tools = new Map(tools);
    this.#plan = plan;
    this.#echo = echo;
  }

  #chunk(kind: MessageKind, update: Fields): void {
    const block = readBlock(asFields(update.content) ?? {});
    const messageId = asText(update.messageId);
    if (kind === "user_message" && this.#isEcho(block)) return;
    const key = messageId === undefined ? undefined : `${kind}:${messageId}`;
    const id = key === undefined ? this.#openOf(kind) : this.#messages.get(key);
    if (id === undefined) {
      const begun = this.#timeline.begin(kind, { content: [block] });
      if (key !== undefined) this.#messages.set(key, begun);
      this.#open = { kind, id: begun };
      return;
    }
    this.#open = { kind, id };
    this.#timeline.append(id, block);
  }

  #openOf(kind: MessageKind): string | undefined {
    return this.#open?.kind === kind ? this.#open.id : undefined;
  }

  #isEcho({ text }: ContentBlock): boolean {
    if (text === undefined || text === "" || !this.#echo.startsWith(text)) return false;
    this.#echo = this.#echo.slice(text.length);
    return true;
  }

  #replacePlan(update: Fields): void {
    const entries = clip(asList(update.entries).map(readPlanEntry));
    if (this.#plan !== null) return this.#timeline.change(this.#plan, "plan", { entries });
    this.#open = null;
    this.#plan = this.#timeline.begin("plan", { entries });
  }

  #notice(update: Fields): void {
    const { title, description } = update;
    const text = [asText(title), asText(description)].filter(Boolean).join(": ");
    this.#timeline.begin("notice", { severity: asText(update.severity) ?? "info", text: clip(text) });
  }
}

function readBlock(block: Fields): ContentBlock {
  const { text, length: _length, clipped: _clipped, ...rest } = block; // ours to say
  const about = clip({ ...rest, type: asText(block.type) ?? "text" });
  if (typeof text !== "string") return about;
  const kept = cutText(text, TEXT_CHARS_MAX);
  return { ...about, text: kept, ...(kept.length < text.length ? { length: text.length, clipped: true } : {}) };
}

const readBlocks = (blocks: readonly Fields[]): ContentBlock[] => blocks.map(readBlock);

const readPlanEntry = ({ content, priority, status }: Fields): PlanEntry => ({
  content: asText(content) ?? "",
  priority: asText(priority) ?? "medium",
  status: asText(status) ?? "pending",
});

const newTool = (callId: string): NewItem<"tool_call"> => ({
  tool_call_id: callId,
  title: callId,
  tool_kind: "other",
  status: "pending",
  locations: [],
  content: [],
  terminal_ids: [],
});

/** The fields that an update names; what it leaves out or sets to null stays. */
function readTool(update: Fields): Partial<ItemOf<"tool_call">> {
  const { title, kind, status, locations, content, rawInput, rawOutput } = update;
  const fields: Partial<ItemOf<"tool_call">> = {};
  if (typeof title === "string") fields.title = clipTitle(title);
  if (typeof kind === "string") fields.tool_kind = kind;
  if (typeof status === "string") fields.status = status;
  if (Array.isArray(locations)) fields.locations = clip(asList(locations).filter(hasPath));
  if (Array.isArray(content)) {
    fields.content = clip(asList(content).filter(hasType));
    fields.terminal_ids = asList(content).flatMap(({ terminalId }) => asText(terminalId) ?? []);
  }
  if (rawInput !== undefined && rawInput !== null) fields.raw_input = clip(rawInput);
  if (rawOutput !== undefined && rawOutput !== null) fields.raw_output = clip(rawOutput);
  return fields;
}

const hasPath = (value: Fields): value is ToolLocation => typeof value.path === "string";
const hasType = (value: Fields): value is ToolContent => typeof value.type === "string";
