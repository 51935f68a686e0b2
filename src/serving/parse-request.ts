import type * as z from "zod/mini";
import type { Request } from "../protocol/envelope.ts";
import type { WarrenError } from "../protocol/errors.ts";
import { type MessageType, messages } from "../protocol/messages.ts";
import * as errors from "./request-errors.ts";

/** One line from a client, checked: the only place where what came from outside becomes a typed request. */
export function parseRequest(line: string): Request {
  const value = parseObject(line);
  const { id, type, payload = {}, request_id } = value;
  const request = { ...(isId(id) ? { id } : {}), ...(typeof request_id === "string" ? { request_id } : {}) };
  if (typeof type !== "string" || !Object.hasOwn(messages, type)) {
    throw Object.assign(errors.unknownType(type, Object.keys(messages)), request);
  }
  const known = type as MessageType;
  const result = (messages[known].payload as z.ZodMiniType).safeParse(payload);
  if (!result.success) throw Object.assign(firstProblem(type, payload, result.error.issues[0]), request);
  return { ...request, type: known, payload: result.data as never };
}

/** The id of a line that may be broken otherwise, so that its answer can carry it. */
export function idOf(error: unknown): { id?: number | string } {
  return typeof error === "object" && error !== null && "id" in error && isId(error.id) ? { id: error.id } : {};
}

const isId = (id: unknown): id is number | string => typeof id === "number" || typeof id === "string";

/** @throws BAD_JSON */
export function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw errors.badJson(line);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw errors.badJson(line);
  return value as Record<string, unknown>;
}

/** What the first problem of a message is, in words. */
export function firstProblem(type: string, payload: unknown, issue: z.core.$ZodIssue | undefined): WarrenError {
  const path = issue?.path ?? [];
  let value = payload;
  for (const key of path)
    value = typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  const expected = issue && "expected" in issue ? `must be ${issue.expected}` : "is not valid";
  return errors.invalidPayload(type, path.join("."), value === undefined ? "is missing" : expected, value);
}
