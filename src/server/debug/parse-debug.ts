import * as z from "zod/mini";
import { DEBUG_TOPICS, type DebugRequest, FAULT_NAMES, KILL_POINTS } from "../../protocol/debug.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { suggest } from "../../protocol/suggest.ts";
import { firstProblem, parseObject } from "../../serving/parse-request.ts";
import * as errors from "../../serving/request-errors.ts";

/** One line from the debug socket, checked. */
export interface ParsedDebugRequest {
  id?: number | string;
  request: DebugRequest;
}

/** A fault that lasts longer has no use, and would keep a server from ending. */
const DELAY_MS_MAX = 600_000;
const Count = z.int().check(z.nonnegative());
const MessageType = z.string().check(z.maxLength(60));

const SetFault = z.discriminatedUnion("name", [
  z.object({
    name: z.literal("delay-reply"),
    ms: Count.check(z.maximum(DELAY_MS_MAX)),
    type: z.optional(MessageType),
  }),
  z.object({
    name: z.literal("drop-connection"),
    type: z.optional(MessageType),
    when: z.optional(z.enum(["before", "after"])),
    count: z.optional(z.int().check(z.positive())),
  }),
  z.object({ name: z.literal("pause-reads") }),
  z.object({ name: z.literal("crash-at"), point: z.enum(KILL_POINTS), type: z.optional(MessageType) }),
]);

const Requests: Record<DebugRequest["type"], z.ZodMiniType> = {
  state: z.object({ type: z.literal("state") }),
  clients: z.object({ type: z.literal("clients") }),
  leases: z.object({ type: z.literal("leases") }),
  memory: z.object({ type: z.literal("memory") }),
  frames: z.object({ type: z.literal("frames"), client: z.optional(Count) }),
  log: z.object({ type: z.literal("log"), since: z.optional(Count), follow: z.optional(z.boolean()) }),
  fault: z.discriminatedUnion("action", [
    z.object({ type: z.literal("fault"), action: z.literal("list") }),
    z.object({ type: z.literal("fault"), action: z.literal("set"), fault: SetFault }),
    z.object({ type: z.literal("fault"), action: z.literal("clear"), name: z.optional(z.enum(FAULT_NAMES)) }),
  ]),
};

/** @throws BAD_JSON, UNKNOWN_TYPE, INVALID_PAYLOAD, with the line's id when it has one */
export function parseDebugRequest(line: string): ParsedDebugRequest {
  const value = parseObject(line);
  const { id, type } = value;
  const known = typeof id === "number" || typeof id === "string" ? { id } : {};
  if (typeof type !== "string" || !Object.hasOwn(Requests, type)) throw Object.assign(unknownTopic(type), known);
  const result = Requests[type as DebugRequest["type"]].safeParse(value);
  if (!result.success) throw Object.assign(problemOf(type, value, result.error.issues[0]), known);
  return { ...known, request: result.data as DebugRequest };
}

/** A name from a list of ours is answered with the list. */
function problemOf(type: string, value: object, issue: z.core.$ZodIssue | undefined): WarrenError {
  const field = issue?.path.at(-1);
  const choices = field === "point" ? KILL_POINTS : field === "name" ? FAULT_NAMES : undefined;
  if (!choices) return firstProblem(type, value, issue);
  const given = issue?.path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown>)?.[key], value);
  return errors.invalidPayload(type, String(field), `must be one of ${choices.join(", ")}`, given);
}

function unknownTopic(type: unknown): WarrenError {
  const near = typeof type === "string" ? suggest(type, DEBUG_TOPICS) : undefined;
  const shown = JSON.stringify(type)?.slice(0, 60);
  return new WarrenError(
    "UNKNOWN_TYPE",
    `A debug socket knows ${DEBUG_TOPICS.join(", ")}, not ${shown ?? "a line without a type"}.${near ? ` Did you mean ${near}?` : ""}`,
  );
}
