import * as z from "zod/mini";

/**
 * A conversation with an agent, as it crosses the wire and as `--json` prints it. Items are upserts by `id`, in the order in which they began; every
 * change is an event with a `seq` that counts from 1 over the life of the session, through every server. Whoever has a snapshot and applies the events
 * after its `seq` has the conversation.
 *
 * What the agent said in ACP's own words (content blocks, options, modes) keeps ACP's field names, and unknown fields are kept.
 */

const Timestamp = z.string(); // RFC 3339 with milliseconds
const Count = z.int().check(z.nonnegative());

/** ACP's ContentBlock: text, image, audio, resource_link, resource. What is too large is cut, and the object around it says so; the whole of it is in the journal. */
export const ContentBlock = z.looseObject({
  type: z.string(),
  text: z.optional(z.string()),
  /** Of a clipped text: how many UTF-16 units there were. */
  length: z.optional(Count),
  clipped: z.optional(z.boolean()),
});

/** ACP's ToolCallContent: `content`, `diff` or `terminal`; cut like a ContentBlock. */
export const ToolContent = z.looseObject({ type: z.string(), clipped: z.optional(z.boolean()) });
export const ToolLocation = z.looseObject({ path: z.string(), line: z.optional(z.nullable(z.int())) });
export const PlanEntry = z.looseObject({ content: z.string(), priority: z.string(), status: z.string() });
export const PermissionOption = z.looseObject({
  optionId: z.string(),
  name: z.string(),
  /** allow_once, allow_always, reject_once or reject_always; others may come. */
  kind: z.string(),
});

const AnyItem = { id: z.string(), /** When it began. */ at: Timestamp, /** Of its last change. */ seq: Count };

const ToolCallFields = {
  tool_call_id: z.string(),
  title: z.string(),
  /** read, edit, delete, move, search, execute, think, fetch, switch_mode, other. */
  tool_kind: z.string(),
  /** pending, in_progress, completed, failed. */
  status: z.string(),
  locations: z.array(ToolLocation),
  content: z.array(ToolContent),
  raw_input: z.optional(z.unknown()),
  raw_output: z.optional(z.unknown()),
  /** The terminals in which it runs. */
  terminal_ids: z.array(z.string()),
};

export const ConversationItem = z.discriminatedUnion("kind", [
  z.looseObject({
    ...AnyItem,
    kind: z.literal("user_message"),
    content: z.array(ContentBlock),
    request_id: z.optional(z.string()),
    /** Who said it, where that is known. */
    by: z.optional(z.string()),
  }),
  z.looseObject({ ...AnyItem, kind: z.literal("agent_message"), content: z.array(ContentBlock) }),
  z.looseObject({ ...AnyItem, kind: z.literal("thought"), content: z.array(ContentBlock) }),
  z.looseObject({ ...AnyItem, kind: z.literal("tool_call"), ...ToolCallFields }),
  /** One a turn; the agent replaces its entries. */
  z.looseObject({ ...AnyItem, kind: z.literal("plan"), entries: z.array(PlanEntry) }),
  z.looseObject({
    ...AnyItem,
    kind: z.literal("permission"),
    /** What it asks, in a line. */
    title: z.string(),
    /** The item of the tool call that it is about. */
    tool_item_id: z.optional(z.string()),
    options: z.array(PermissionOption),
    state: z.enum(["pending", "answered", "cancelled"]),
    option_id: z.optional(z.string()),
    /** Who answered. */
    by: z.optional(z.string()),
    request_id: z.optional(z.string()),
  }),
  /** One a prompt. `needs_you`: a question of it is open. */
  z.looseObject({
    ...AnyItem,
    kind: z.literal("turn"),
    state: z.enum(["working", "needs_you", "idle", "ended"]),
    /** ACP's: end_turn, max_tokens, max_turn_requests, refusal, cancelled; ours: error, agent_ended. */
    stop_reason: z.optional(z.string()),
    /** It was asked to stop and has not yet. */
    cancelling: z.optional(z.boolean()),
    request_id: z.optional(z.string()),
    ended_at: z.optional(Timestamp),
  }),
  z.looseObject({ ...AnyItem, kind: z.literal("notice"), severity: z.string(), text: z.string() }),
  z.looseObject({ ...AnyItem, kind: z.literal("error"), code: z.string(), message: z.string() }),
  /** Lines in a row from the agent's stdout that are no messages. */
  z.looseObject({
    ...AnyItem,
    kind: z.literal("garbage"),
    /** The beginning of the first. */
    text: z.string(),
    line_count: Count,
    bytes: Count,
  }),
]);

export const AgentMode = z.looseObject({ id: z.string(), name: z.string() });

/** What is known about the agent and its session; an `info` event carries the fields that changed, null for one that is gone. */
export const ConversationInfo = z.looseObject({
  /** Its program's own name and version. */
  agent_name: z.optional(z.nullable(z.string())),
  agent_version: z.optional(z.nullable(z.string())),
  /** ACP's AgentCapabilities. */
  capabilities: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  auth_methods: z.optional(z.array(z.looseObject({ id: z.string(), name: z.string() }))),
  /** It wants a login before it works. */
  login_required: z.optional(z.boolean()),
  /** The agent's own id of the conversation: what a resume takes. */
  session_id: z.optional(z.nullable(z.string())),
  title: z.optional(z.nullable(z.string())),
  mode: z.optional(z.nullable(z.string())),
  modes: z.optional(z.array(AgentMode)),
  config_options: z.optional(z.array(z.looseObject({ id: z.string(), name: z.string() }))),
  commands: z.optional(z.array(z.looseObject({ name: z.string() }))),
  /** ACP's UsageUpdate: tokens used, size of the context, cost. */
  usage: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
});

/** CONTRACT §7, as far as a conversation knows it. */
export const ConversationState = z.enum(["starting", "working", "needs_you", "idle", "ended"]);

const AnyEvent = { seq: Count, at: Timestamp };

export const ConversationEvent = z.discriminatedUnion("type", [
  z.looseObject({ ...AnyEvent, type: z.literal("item"), item: ConversationItem }),
  /** `delta` is added to the text of the item's content block number `block`, which has `length` UTF-16 units then; those past the clip are only counted. */
  z.looseObject({
    ...AnyEvent,
    type: z.literal("text_delta"),
    item_id: z.string(),
    block: Count,
    delta: z.string(),
    length: Count,
  }),
  z.looseObject({ ...AnyEvent, type: z.literal("info"), info: ConversationInfo }),
  z.looseObject({ ...AnyEvent, type: z.literal("state"), state: ConversationState }),
  /** Items that a snapshot no longer has, because there are too many. */
  z.looseObject({ ...AnyEvent, type: z.literal("dropped"), item_ids: z.array(z.string()), dropped_count: Count }),
]);

/** What `subscribe` answers with. */
export const ConversationSnapshot = z.looseObject({
  seq: Count,
  state: ConversationState,
  info: ConversationInfo,
  items: z.array(ConversationItem),
  /** Older items, which are only in the journal. */
  dropped_count: Count,
});

export type ContentBlock = z.infer<typeof ContentBlock>;
export type ToolContent = z.infer<typeof ToolContent>;
export type ToolLocation = z.infer<typeof ToolLocation>;
export type PlanEntry = z.infer<typeof PlanEntry>;
export type PermissionOption = z.infer<typeof PermissionOption>;
export type ConversationItem = z.infer<typeof ConversationItem>;
export type ConversationInfo = z.infer<typeof ConversationInfo>;
export type ConversationState = z.infer<typeof ConversationState>;
export type ConversationEvent = z.infer<typeof ConversationEvent>;
export type ConversationSnapshot = z.infer<typeof ConversationSnapshot>;
export type ItemKind = ConversationItem["kind"];
export type ItemOf<K extends ItemKind> = Extract<ConversationItem, { kind: K }>;
