import * as z from "zod/mini";
import { isShallow, TOO_DEEP } from "../../protocol/json-depth.ts";
import { MAIL_ID_CHARACTERS_MAX } from "../../protocol/mail-limits.ts";
import { AWAY_REASON_CHARACTERS_MAX } from "../log/away-reason.ts";

/** What machines say to each other. `of`: the log whose numbers are meant; a packet about another one is of a time that is over. */

const Count = z.int().check(z.nonnegative());
const Name = z.string().check(z.maxLength(64));
const Numbers = z.array(Count).check(z.maxLength(1_024));
/** As in `log/limits.ts`. */
const Id = z.string().check(z.minLength(1), z.maxLength(MAIL_ID_CHARACTERS_MAX));
const Reason = z.string().check(z.maxLength(AWAY_REASON_CHARACTERS_MAX));

const Copy = z.object({
  n: Count,
  prev: Count,
  from: Name,
  to: Name,
  id: Id,
  seq: Count,
  kind: z.enum(["message", "ask", "reply", "notice"]),
  sent_at_ms: Count,
  body: z.string(),
  subject: z.optional(z.string()),
  data: z.optional(z.record(z.string(), z.unknown()).check(z.refine((value) => isShallow(value), TOO_DEEP))),
  thread: Id,
  reply_to: z.optional(Id),
  hops: Count,
  expires_at_ms: Count,
  not_before_ms: z.optional(Count),
});

const SaidState = z.enum(["seen", "handled", "replied", "expired", "dead"]);

const Receipt = z.object({
  n: Count,
  seq: Count,
  to: Name,
  id: Id,
  state: SaidState,
  reason: z.optional(Reason),
});

const Said = z.discriminatedUnion("type", [
  z.object({ type: z.literal("mail"), copy: Copy }),
  /** These copies are in my log, on disk. */
  z.object({ type: z.literal("stored"), of: z.string(), ns: Numbers }),
  /** Of these senders I have all up to these numbers, and something behind that has come too early. */
  z.object({ type: z.literal("want"), of: z.string(), after: z.array(z.tuple([Name, Count])) }),
  /** Not now; send it again later. */
  z.object({ type: z.literal("hold"), of: z.string(), n: Count, reason: Reason }),
  /** Never. */
  z.object({ type: z.literal("refused"), of: z.string(), n: Count, reason: Reason }),
  z.object({ type: z.literal("receipts"), of: z.string(), receipts: z.array(Receipt).check(z.maxLength(1_024)) }),
  /** These receipts are in my log. */
  z.object({
    type: z.literal("noted"),
    receipts: z.array(z.object({ n: Count, state: SaidState })).check(z.maxLength(1_024)),
  }),
]);

export const Packet = z.object({
  v: z.literal(1),
  from: Name,
  to: Name,
  log_id: z.string().check(z.maxLength(64)),
  /** The sender's wall clock. */
  at_ms: Count,
  said: Said,
});

export type Packet = z.infer<typeof Packet>;
export type Said = z.infer<typeof Said>;

export const encodePacket = (packet: Packet): Uint8Array => Buffer.from(JSON.stringify(packet));

/** Undefined: it is none, or of a machine that speaks otherwise. */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  try {
    const parsed = Packet.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
