import * as z from "zod/mini";

/** What is told of the mailbox (docs/mailbox-design.md). */

const Count = z.int();
const Timestamp = z.string();
const JsonObject = z.record(z.string(), z.unknown());

/** How far a message has come at one recipient. `offered` counts as nothing: it was handed out, and nobody has confirmed it. */
export const ReceiptState = z.enum(["queued", "offered", "seen", "handled", "replied", "expired", "dead"]);

export const Presence = z.enum(["live", "idle", "busy", "gone"]);

export const MailMessage = z.looseObject({
  /** Chosen by the sender, else made; with `from` it is the message's identity. */
  id: z.string(),
  /** Its place in the log. Of one sender and recipient: the order of delivery. */
  seq: Count,
  from: z.string(),
  /** Of this copy. */
  to: z.string(),
  /** As it was written: a name, `@group` or `@all`. */
  addressed_to: z.string(),
  sent_at: Timestamp,
  body: z.string(),
  subject: z.optional(z.string()),
  data: z.optional(JsonObject),
  /** `ask`: its sender waits for a reply. `notice`: of the mailbox itself. */
  kind: z.enum(["message", "ask", "reply", "notice"]),
  /** The first message's id of an exchange. */
  thread: z.string(),
  reply_to: z.optional(z.string()),
  expires_at: z.optional(Timestamp),
  /** Hops through agents since a person or a program began it. */
  hops: Count,
});

/** A message as it is offered: it has to be acknowledged by `lease`. */
export const OfferedMessage = z.looseObject({
  ...MailMessage.shape,
  /** How often it was offered, this time too. */
  offers: Count,
  /** Absent when it was only looked at. */
  lease_until: z.optional(Timestamp),
});

export const Receipt = z.looseObject({
  id: z.string(),
  seq: Count,
  to: z.string(),
  state: ReceiptState,
  at: Timestamp,
  /** Why it is dead. */
  reason: z.optional(z.string()),
  /** Of `replied`. */
  reply: z.optional(MailMessage),
});

/** What a sender is told of whom it writes to. */
export const Recipient = z.looseObject({
  name: z.string(),
  /** False: nobody has ever had this name. The message waits for whoever takes it. */
  known: z.boolean(),
  presence: Presence,
  unread: Count,
  /** A name that may have been meant. */
  suggestion: z.optional(z.string()),
});

export const Participant = z.looseObject({
  name: z.string(),
  presence: Presence,
  /** What it belongs to: nobody else can take the name. */
  owner: z.enum(["nobody", "key", "unit"]),
  /** Of the session or agent, when it is one. */
  unit: z.optional(z.string()),
  pid: z.optional(Count),
  unread: Count,
  registered_at: z.optional(Timestamp),
  /** When it last asked for anything. */
  last_seen: z.optional(Timestamp),
  groups: z.array(z.string()),
  /** Where its mail goes since it has another name. */
  forwards_to: z.optional(z.string()),
});

export const MailLeader = z.looseObject({
  pid: Count,
  epoch: Count,
  since: Timestamp,
  git_hash: z.string(),
  version: z.string(),
  socket: z.string(),
  /** Absent: the port is another's, or switched off. */
  port: z.optional(Count),
  is_dedicated: z.boolean(),
});

export const MailMember = z.looseObject({
  /** What kind of process: `server`, `mcp`, `serve`, `standby`. */
  kind: z.string(),
  pid: z.optional(Count),
  since: Timestamp,
  name: z.optional(z.string()),
  may_lead: z.boolean(),
});

/** Another machine whose participants can be written to. */
export const Machine = z.looseObject({
  name: z.string(),
  state: z.enum(["connected", "away"]),
  /** When it came, as long as it is there. */
  since: z.optional(Timestamp),
  last_seen: z.optional(Timestamp),
  /** Messages that it has not said to have. */
  waiting: Count,
  /** Why it does not take them. */
  problem: z.optional(z.string()),
});

/** This machine among the others. */
export const Machines = z.looseObject({
  /** `alone`: it has joined none. */
  state: z.enum(["alone", "connecting", "connected"]),
  /** Its name among them. */
  machine: z.optional(z.string()),
  /** Where they meet, without what is secret in it. */
  url: z.optional(z.string()),
  since: z.optional(Timestamp),
  /** Why nothing goes just now. */
  problem: z.optional(z.string()),
  machines: z.array(Machine),
});

export const MailStatus = z.looseObject({
  leader: MailLeader,
  members: z.array(MailMember),
  /** Why the port is not ours. */
  port_problem: z.optional(z.string()),
  messages: Count,
  unread: Count,
  dead: Count,
  /** The newest `seq`. */
  log_head: Count,
  log_bytes: Count,
  /** Absent: it has joined none. */
  machines: z.optional(Machines),
});

export type ReceiptState = z.infer<typeof ReceiptState>;
export type Presence = z.infer<typeof Presence>;
export type MailMessage = z.infer<typeof MailMessage>;
export type OfferedMessage = z.infer<typeof OfferedMessage>;
export type Receipt = z.infer<typeof Receipt>;
export type Recipient = z.infer<typeof Recipient>;
export type Participant = z.infer<typeof Participant>;
export type MailLeader = z.infer<typeof MailLeader>;
export type MailMember = z.infer<typeof MailMember>;
export type Machine = z.infer<typeof Machine>;
export type Machines = z.infer<typeof Machines>;
export type MailStatus = z.infer<typeof MailStatus>;
