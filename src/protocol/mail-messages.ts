import * as z from "zod/mini";
import { isShallow, TOO_DEEP } from "./json-depth.ts";
import {
  Machines,
  MailMember,
  MailMessage,
  MailStatus,
  OfferedMessage,
  Participant,
  Receipt,
  ReceiptState,
  Recipient,
} from "./mail-units.ts";

/**
 * What a participant says to the leader of the mailbox. The same envelope, greeting and repeats as with a server (`envelope.ts`); a server passes them on.
 * `as` is the name that the client speaks for; it has to be its own (`mail.register`), or free.
 */

const As = { as: z.optional(z.string()) };
const Ids = {
  ids: z.array(z.string()),
  /** Their sender. Without it an id that several senders have used is each of theirs. */
  from: z.optional(z.string()),
};
const LeaseMs = { lease_ms: z.optional(z.int()) };
const Content = {
  body: z.string(),
  subject: z.optional(z.string()),
  data: z.optional(z.record(z.string(), z.unknown()).check(z.refine((value) => isShallow(value), TOO_DEEP))),
};
const Sent = z.looseObject({
  message: MailMessage,
  /** False: this `(from, id)` was sent before, and is what was sent then. */
  is_new: z.boolean(),
  recipients: z.array(Recipient),
  /** In which it was committed. */
  epoch: z.optional(z.int()),
});

function message<S extends "view" | "type" | "admin", P extends z.ZodMiniType, D extends z.ZodMiniType>(
  scope: S,
  payload: P,
  data: D,
) {
  return { scope, payload, data };
}

export const mailMessages = {
  /**
   * Takes a name for this connection and, with `key` or `unit`, for good. `key`: a secret of the client's; whoever has it has the name. `unit`: the session's
   * or agent's id, which only a server of the home may say. Without both the name is free again when its holder is gone.
   */
  "mail.register": message(
    "type",
    z.looseObject({
      name: z.string(),
      key: z.optional(z.string()),
      unit: z.optional(z.string()),
      /** Whose presence is the participant's; default: the client's own process. */
      pid: z.optional(z.int()),
      pid_start: z.optional(z.string()),
      groups: z.optional(z.array(z.string())),
    }),
    z.looseObject({ participant: Participant }),
  ),
  /** The name is free from now on, or belongs still to its key; its mail stays. */
  "mail.unregister": message("type", z.looseObject({ name: z.string() }), z.looseObject({ name: z.string() })),
  /** Mail to the old name goes to the new one for two hours; what is unread moves with it. */
  "mail.rename": message(
    "type",
    z.looseObject({ ...As, name: z.string() }),
    z.looseObject({ participant: Participant }),
  ),
  "mail.groups": message(
    "type",
    z.looseObject({ ...As, join: z.optional(z.array(z.string())), leave: z.optional(z.array(z.string())) }),
    z.looseObject({ participant: Participant }),
  ),
  /** `to`: names, `@group`, `@all`. `message_id`: the sender's own; a second one with it is the first. */
  "mail.send": message(
    "type",
    z.looseObject({
      ...As,
      to: z.array(z.string()),
      ...Content,
      kind: z.optional(z.enum(["message", "ask"])),
      message_id: z.optional(z.string()),
      thread: z.optional(z.string()),
      ttl_ms: z.optional(z.int()),
      delay_ms: z.optional(z.int()),
    }),
    Sent,
  ),
  /** Answers a message, and acknowledges it. */
  "mail.reply": message(
    "type",
    z.looseObject({
      ...As,
      id: z.string(),
      from: z.optional(z.string()),
      ...Content,
      message_id: z.optional(z.string()),
    }),
    Sent,
  ),
  /**
   * The oldest unread, at most `limit` (default 100) and 512 KiB, under a lease (default 30 s): offered again unless acknowledged. `peek`: only shown.
   * `wait_ms`: answers when there is something, at most after that (45 s).
   */
  "mail.fetch": message(
    "type",
    z.looseObject({
      ...As,
      limit: z.optional(z.int()),
      ...LeaseMs,
      peek: z.optional(z.boolean()),
      from: z.optional(z.string()),
      thread: z.optional(z.string()),
      wait_ms: z.optional(z.int()),
    }),
    z.looseObject({
      messages: z.array(OfferedMessage),
      /** What is unread besides them. 0 is a fact: `epoch` and `log_head` say of when. */
      unread: z.int(),
      epoch: z.int(),
      log_head: z.int(),
    }),
  ),
  /** `seen`: a reader has it; `handled` (default): it is done. Of what was not offered to `as`, nothing. */
  "mail.ack": message(
    "type",
    z.looseObject({ ...As, ...Ids, state: z.optional(z.enum(["seen", "handled"])) }),
    z.looseObject({ acknowledged: z.array(z.string()), unread: z.int(), epoch: z.optional(z.int()) }),
  ),
  /** Offered again, after `delay_ms` (default 0). */
  "mail.nak": message(
    "type",
    z.looseObject({ ...As, ...Ids, delay_ms: z.optional(z.int()), reason: z.optional(z.string()) }),
    z.looseObject({ returned: z.array(z.string()) }),
  ),
  "mail.extend": message(
    "type",
    z.looseObject({ ...As, ...Ids, ...LeaseMs }),
    z.looseObject({ extended: z.array(z.string()) }),
  ),
  /** Answers when every receipt of a message that `as` has sent is at least so far (`replied` of an ask: with the reply), or cannot come so far, or after `timeout_ms` (45 s at most). */
  "mail.wait": message(
    "type",
    z.looseObject({ ...As, id: z.string(), for: z.optional(ReceiptState), timeout_ms: z.optional(z.int()) }),
    z.looseObject({ receipts: z.array(Receipt), result: z.enum(["met", "timed_out", "never"]) }),
  ),
  "mail.list": message("view", z.looseObject({}), z.looseObject({ participants: z.array(Participant) })),
  /** Newest first. `search`: words (FTS5). `state`: of any of its receipts. `before`: a `seq`. Without `with` or `thread`: of all, which a person may see. */
  "mail.history": message(
    "view",
    z.looseObject({
      ...As,
      with: z.optional(z.string()),
      /** Messages with this id, of whatever sender. */
      id: z.optional(z.string()),
      thread: z.optional(z.string()),
      search: z.optional(z.string()),
      state: z.optional(ReceiptState),
      before: z.optional(z.int()),
      limit: z.optional(z.int()),
    }),
    z.looseObject({
      messages: z.array(z.looseObject({ message: MailMessage, receipts: z.array(Receipt) })),
      has_more: z.boolean(),
    }),
  ),
  "mail.machines": message("view", z.looseObject({}), z.looseObject({ machines: Machines })),
  /** Answers when this machine is connected and has its name there, or says why not. `creds` and `ca`: what is in the files. It is remembered. */
  "mail.join_machines": message(
    "admin",
    z.looseObject({
      url: z.string(),
      /** Default: the host's name up to the first dot. */
      machine: z.optional(z.string()),
      creds: z.optional(z.string()),
      ca: z.optional(z.string()),
    }),
    z.looseObject({ machines: Machines }),
  ),
  /** Its name is free for others. What waits for them waits until it joins again. */
  "mail.leave_machines": message("admin", z.looseObject({}), z.looseObject({ machines: Machines })),
  "mail.status": message("view", z.looseObject({}), z.looseObject({ status: MailStatus })),
  /**
   * A member is one that stays: it is told of deaths by its connection, and may be asked to lead. `states`: of a server's agents, by their ids, which work; it
   * says it again when that has changed, and what it said ends with its connection.
   */
  "mail.join": message(
    "type",
    z.looseObject({
      kind: z.string(),
      pid: z.int(),
      may_lead: z.boolean(),
      name: z.optional(z.string()),
      states: z.optional(z.record(z.string(), z.enum(["idle", "busy"]))),
    }),
    z.looseObject({ members: z.array(MailMember), epoch: z.int() }),
  ),
  /** Answered through the writer thread: the leader is alive as a whole. */
  "mail.ping": message("view", z.looseObject({}), z.looseObject({ epoch: z.int(), pid: z.int() })),
  /** Hands the lead to a new process: of another build by the command that starts it, a dedicated one, or just another. Answers when that leads. */
  "mail.yield": message(
    "admin",
    z.looseObject({
      command: z.optional(z.array(z.string())),
      is_dedicated: z.optional(z.boolean()),
      git_hash: z.optional(z.string()),
    }),
    z.looseObject({ status: MailStatus }),
  ),
  /** All that is in the log, in pages: rows as JSON lines have them. `after`: a `seq`; participants come with the first page. */
  "mail.export": message(
    "admin",
    z.looseObject({ after: z.optional(z.int()), limit: z.optional(z.int()) }),
    z.looseObject({ rows: z.array(z.record(z.string(), z.unknown())), next: z.optional(z.int()) }),
  ),
  /** Rows of an export; what is there already is passed over. */
  "mail.import": message(
    "admin",
    z.looseObject({ rows: z.array(z.record(z.string(), z.unknown())) }),
    z.looseObject({ imported: z.int(), skipped: z.int() }),
  ),
  /**
   * Removes messages whose every receipt has been final (`handled`, `replied`, `expired`, `dead`) for `older_than_ms` (a day at least): looks at a bounded
   * number of them from `after` (a `seq`) on, and answers `next` when there are more. `dry_run` only counts.
   */
  "mail.prune": message(
    "admin",
    z.looseObject({ older_than_ms: z.int(), after: z.optional(z.int()), dry_run: z.optional(z.boolean()) }),
    z.looseObject({ messages: z.int(), bytes: z.int(), next: z.optional(z.int()) }),
  ),
  /** A copy of the log as of one moment, complete, at an absolute path that is not there yet. */
  "mail.backup": message(
    "admin",
    z.looseObject({ path: z.string() }),
    z.looseObject({ path: z.string(), bytes: z.int(), log_head: z.int() }),
  ),
} as const;
