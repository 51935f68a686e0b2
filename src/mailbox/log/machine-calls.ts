import type { MailMessage, ReceiptState } from "../../protocol/mail-units.ts";

/** What the log is asked for other machines, by the leader that exchanges with them. */

/** A copy as it goes to the machine of its recipient. Times are wall times of the sender's machine. */
export interface AwayCopy {
  /** Its number: those of one sender for one machine are taken in this order. */
  n: number;
  /** The number of the one before it that may still be on the way; 0: none. */
  prev: number;
  from: string;
  to: string;
  id: string;
  /** In its sender's log. */
  seq: number;
  kind: MailMessage["kind"];
  sent_at_ms: number;
  body: string;
  subject?: string | undefined;
  data?: Record<string, unknown> | undefined;
  thread: string;
  reply_to?: string | undefined;
  hops: number;
  expires_at_ms: number;
  not_before_ms?: number | undefined;
}

/** How far a copy has come, told to its sender's machine. `seq` and `id` are the message's there. */
export interface AwayReceipt {
  n: number;
  seq: number;
  to: string;
  id: string;
  state: Exclude<ReceiptState, "queued" | "offered">;
  reason?: string | undefined;
}

/** In the outbox: `copy` is absent when it has come to its end here and need not go any more. */
export interface Outgoing {
  n: number;
  sender: string;
  copy?: AwayCopy;
}

/**
 * - `taken`: it is in the log now. `known`: it was before.
 * - `gap`: one before it has not come; `last` is the newest of its sender that has.
 * - `full`: its recipient takes no more for now.
 * - `refused`: never; `reason` says why.
 */
export interface Arrival {
  outcome: "taken" | "known" | "gap" | "full" | "refused";
  last: number;
  reason?: string;
}

export interface MachineRow {
  name: string;
  log_id: string | undefined;
  is_here: boolean;
  seen_ms: number | undefined;
  waiting: number;
}

export interface MachineCalls {
  /** The name of this machine among the others; undefined: it has left them. */
  "log.joined": { payload: { machine: string | undefined }; data: { log_id: string } };
  /** What was heard of another machine; what is absent stays as it is. */
  "log.machine": {
    payload: {
      name: string;
      log_id?: string | undefined;
      is_here?: boolean | undefined;
      seen_ms?: number | undefined;
      names?: [string, string][] | undefined;
    };
    data: { name: string };
  };
  /** The transport keeps these. */
  "log.outbox_kept": { payload: { ns: number[] }; data: { count: number } };
  /** These are in the other machine's log, or have come to their end. */
  "log.outbox_over": { payload: { machine: string; ns: number[] }; data: { count: number } };
  /** The other machine will never take it. */
  "log.outbox_refused": { payload: { machine: string; n: number; reason: string }; data: { count: number } };
  "log.arrive": { payload: { machine: string; log_id: string; copy: AwayCopy }; data: Arrival };
  /** Of what was sent to `machine`. */
  "log.receipts": { payload: { machine: string; receipts: AwayReceipt[] }; data: { count: number } };
  /** The sender's machine has these. */
  "log.receipts_noted": {
    payload: { machine: string; log_id: string; receipts: Pick<AwayReceipt, "n" | "state">[] };
    data: { count: number };
  };
}

export interface MachineReads {
  /** Of one machine, by their number: those after `after`, or `ns`; at most `limit`, and some megabytes. */
  "log.outbox": {
    payload: { machine: string; after?: number; ns?: number[]; limit: number };
    data: { outgoing: Outgoing[]; has_more: boolean };
  };
  /** What its machine has not noted yet: all of these messages, or at most `limit` after number `after`. */
  "log.receipts_due": {
    payload: { machine: string; log_id: string; seqs?: number[]; after?: number; limit: number };
    data: { receipts: AwayReceipt[] };
  };
  "log.machines": { payload: object; data: { machine: string | undefined; log_id: string; machines: MachineRow[] } };
}
