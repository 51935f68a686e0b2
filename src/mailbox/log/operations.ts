import type { MailMessage, ReceiptState } from "../../protocol/mail-units.ts";
import type { DataOf, MessageType, PayloadOf } from "../../protocol/messages.ts";
import type { MachineCalls, MachineReads } from "./machine-calls.ts";

/** What the log is asked, and what it answers. Payloads come validated by their schemas. */

/** Who asks. The log checks that `name` may be spoken for (invariant 5). */
export interface By {
  /** `as` of the payload, else what the connection registered last. */
  name?: string | undefined;
  /**
   * The asking program, the same through its reconnections: leases, repeats and shown keys belong to it. Only it knows it, or the leader does:
   * whoever says it may speak for the names that it has shown a key of.
   */
  client: string;
  /** The session or agent in which the client runs, when the leader has made sure of it. */
  unit?: string | undefined;
  /** A server of the home: it may give names to units and speak for them. */
  isServer?: boolean | undefined;
  /** Somebody at a terminal: begins exchanges anew, and sees all mail. `you` is one too. */
  isPerson?: boolean | undefined;
  /** The mailbox itself: speaks as `system`, and may speak for every name. */
  isMailbox?: boolean | undefined;
}

/** The messages that change the log, or have to be answered in order with those that do. */
export type LogMessage = Extract<
  MessageType,
  | "mail.register"
  | "mail.unregister"
  | "mail.rename"
  | "mail.groups"
  | "mail.send"
  | "mail.reply"
  | "mail.fetch"
  | "mail.ack"
  | "mail.nak"
  | "mail.extend"
  | "mail.ping"
  | "mail.import"
  | "mail.prune"
>;

/** Asked by the leader itself. */
export interface LogCalls extends MachineCalls {
  /** The client is gone: what it holds is offered to others at once. */
  "log.release": { payload: { client: string }; data: { returned: number } };
  /** A session token of claude-ipc's, by its hash. */
  "log.save_token": { payload: { hash: string; name: string; expires_at_ms: number }; data: { hash: string } };
}

/** Read on a thread of their own, as of the last commit. */
export interface LogReads extends MachineReads {
  "log.leader": { payload: object; data: { leader: LeaderRow | undefined } };
  "log.token": { payload: { hash: string; now_ms: number }; data: { name: string | undefined } };
}

export type PerformType = LogMessage | keyof LogCalls;
export type ReadType =
  | Extract<MessageType, "mail.list" | "mail.history" | "mail.status" | "mail.export" | "mail.wait">
  | keyof LogReads;

export type PayloadFor<T extends PerformType | ReadType> = T extends keyof LogCalls
  ? LogCalls[T]["payload"]
  : T extends keyof LogReads
    ? LogReads[T]["payload"]
    : T extends MessageType
      ? PayloadOf<T>
      : never;

/** `mail.status` gives the log's part of it. */
export type AnswerTo<T extends PerformType | ReadType> = T extends keyof LogCalls
  ? LogCalls[T]["data"]
  : T extends keyof LogReads
    ? LogReads[T]["data"]
    : T extends "mail.status"
      ? LogNumbers
      : T extends MessageType
        ? DataOf<T>
        : never;

export interface Operation<T extends PerformType | ReadType = PerformType | ReadType> {
  type: T;
  payload: PayloadFor<T>;
  by: By;
  /** Makes a repeat get the first answer. */
  requestId?: string | undefined;
  /** Wall time. */
  nowMs: number;
}

export interface Performed<T extends PerformType = PerformType> {
  answer: AnswerTo<T>;
  effects: Effect[];
}

export interface SentMessage {
  id: string;
  seq: number;
  from: string;
  to: string[];
  kind: MailMessage["kind"];
  thread: string;
  subject?: string;
  reply_to?: string;
}

/** What others have to hear of, after the commit. */
export type Effect =
  /** A message is in the log; as `message_sent` tells it, without what it says. */
  | { kind: "sent"; message: SentMessage }
  /** There may be something to fetch for `to`. */
  | { kind: "queued"; to: string; from: string; id: string; seq: number }
  /** A receipt of a message that `from` has sent. */
  | { kind: "receipt"; from: string; to: string; id: string; seq: number; state: ReceiptState }
  | { kind: "participant"; name: string }
  /** When to sweep next, at the latest. */
  | { kind: "due"; atMs: number };

export interface Leader {
  pid: number;
  pidStart: string;
  bootId: string;
  gitHash: string;
  version: string;
  socket: string;
  port?: number | undefined;
  isDedicated: boolean;
}

export interface LeaderRow extends Leader {
  epoch: number;
  sinceMs: number;
}

export interface LogNumbers {
  leader: LeaderRow | undefined;
  messages: number;
  unread: number;
  dead: number;
  log_head: number;
  log_bytes: number;
}
