import type { ReceiptState } from "../../protocol/mail-units.ts";

/** As the protocol has them, without its schemas: no command loads those. */
export const RECEIPT_STATES = [
  "queued",
  "offered",
  "seen",
  "handled",
  "replied",
  "expired",
  "dead",
] as const satisfies readonly ReceiptState[];
