import * as z from "zod/mini";
import type { WarrenError } from "../protocol/errors.ts";
import { isShallow, TOO_DEEP } from "../protocol/json-depth.ts";
import { isEqual, jsonIn, toHex, utf8 } from "./bytes.ts";
import type { SealingCrypto } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { approvalUsed, deadlineOver, deadlineTooFar, otherTarget, shownOtherwise } from "./request-errors.ts";

/**
 * What a device asks of a machine that may be away (records of kind 3), and what it answers (kind 4), as JSON. That it is the device's own
 * is the record's to show. Whether a request is carried out is decided here, of facts: the target, the clock, and what was done before.
 */

const Hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const Milliseconds = z.int().check(z.nonnegative());
const Count = z.int().check(z.nonnegative());

/** A yes or no to a question of an agent; bound to what was shown. */
export const Approval = z.strictObject({
  /** {@link shownHash} of what the device has shown. */
  shown: Hash,
  /** The question's id. */
  question: z.string().check(z.minLength(1), z.maxLength(200)),
  expires_ms: Milliseconds,
});
export type Approval = z.infer<typeof Approval>;

export const RemoteRequest = z.strictObject({
  /** The device's own: 16 random bytes. */
  id: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  target: z.strictObject({
    /** The machine's signing key. */
    machine: Hash,
    unit: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  }),
  /** A message of the protocol, and what it takes. */
  type: z.string().check(z.minLength(1), z.maxLength(100)),
  payload: z.record(z.string(), z.unknown()).check(z.refine((value) => isShallow(value), TOO_DEEP)),
  /** Grows with each request of the device to this machine, by whatever hub it goes, or live. */
  number: Count,
  /** The number of the one before it that was open when this one was made; 0: there was none. It is not carried out before that one. */
  after: Count,
  deadline_ms: Milliseconds,
  sent_ms: Milliseconds,
  approval: z.optional(Approval),
});
export type RemoteRequest = z.infer<typeof RemoteRequest>;

export const RemoteResult = z.looseObject({
  /** SHA-256 of the request's text. */
  request: Hash,
  id: z.string(),
  result: z.optional(z.unknown()),
  /** Instead of `result`, where it failed. */
  error: z.optional(
    z.looseObject({
      code: z.string(),
      error: z.string(),
      fix: z.optional(z.string()),
      detail: z.optional(z.unknown()),
    }),
  ),
});
export type RemoteResult = z.infer<typeof RemoteResult>;

/** The name of a device's requests among a period's streams, and of the stream of a live session on which it asks the same. */
export const REQUESTS = "requests";
/** A request waits no longer, whatever its deadline. */
export const REQUEST_LIFE_MS_MAX = 7 * 24 * 60 * 60 * 1000;
/** An approval is for now. */
export const APPROVAL_LIFE_MS_MAX = 10 * 60 * 1000;

export const encodeJson = (value: RemoteRequest | RemoteResult): Uint8Array => utf8(JSON.stringify(value));
/** @throws FORM_INVALID, without a word of the text */
export const decodeRequest = (text: Uint8Array): RemoteRequest => parse(RemoteRequest, text, "request");
export const decodeResult = (text: Uint8Array): RemoteResult => parse(RemoteResult, text, "result");

/** What a result names its request by: nobody answers one request with another's result. */
export const requestHash = async (crypto: SealingCrypto, text: Uint8Array): Promise<string> =>
  toHex(await crypto.sha256(text));

/** SHA-256 of what is asked, whatever the request says besides of its place among others: two texts with one id have to have one of these. */
export const askedHash = async (
  crypto: SealingCrypto,
  { id, target, type, payload, deadline_ms, approval }: RemoteRequest,
): Promise<string> =>
  toHex(await crypto.sha256(utf8(canonicalJson([id, target, type, payload, deadline_ms, approval ?? null]))));

export interface RequestFacts {
  /** This machine's signing key. */
  machine: Uint8Array;
  nowMs: number;
}

/**
 * Why a request is not carried out, if so: OTHER_TARGET, DEADLINE_OVER, DEADLINE_TOO_FAR. That it was carried out before is not looked at: whoever
 * keeps (device, id) answers again what was answered then.
 */
export function requestProblem(request: RemoteRequest, { machine, nowMs }: RequestFacts): WarrenError | undefined {
  if (request.target.machine !== toHex(machine)) return otherTarget();
  if (request.deadline_ms <= nowMs) return deadlineOver(nowMs - request.deadline_ms);
  if (request.deadline_ms - request.sent_ms > REQUEST_LIFE_MS_MAX)
    return deadlineTooFar("request", REQUEST_LIFE_MS_MAX);
  return undefined;
}

export interface ApprovalFacts {
  nowMs: number;
  /** {@link shownHash} of what the agent really asks. */
  shown: string;
  /** The question that is open; undefined when it was answered, here or by another device. */
  openQuestion: string | undefined;
}

/** Why an approval does not hold, if so: APPROVAL_USED, SHOWN_OTHERWISE, DEADLINE_OVER, DEADLINE_TOO_FAR. */
export function approvalProblem(
  { approval, sentMs }: { approval: Approval; sentMs: number },
  { nowMs, shown, openQuestion }: ApprovalFacts,
): WarrenError | undefined {
  if (openQuestion !== approval.question) return approvalUsed();
  if (!isEqual(utf8(approval.shown), utf8(shown))) return shownOtherwise();
  if (approval.expires_ms <= nowMs) return deadlineOver(nowMs - approval.expires_ms);
  if (approval.expires_ms - sentMs > APPROVAL_LIFE_MS_MAX) return deadlineTooFar("approval", APPROVAL_LIFE_MS_MAX);
  return undefined;
}

/** SHA-256 of tool, arguments and directory, of which the arguments are JSON: the order of their fields does not matter. */
export const shownHash = async (
  crypto: SealingCrypto,
  { tool, input, directory }: { tool: string; input: unknown; directory: string },
): Promise<string> => toHex(await crypto.sha256(utf8(`warren approval 1\0${canonicalJson([tool, input, directory])}`)));

/** JSON with each object's fields sorted, as RFC 8785 does. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function parse<T>(schema: z.ZodMiniType<T>, text: Uint8Array, what: string): T {
  let value: unknown;
  try {
    value = jsonIn(text);
  } catch {
    throw formInvalid(what, "it is no JSON");
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw formInvalid(what, `its ${parsed.error.issues[0]?.path.join(".") || "form"} is wrong`);
  return parsed.data;
}
