import { isSettled, type OutboxItem } from "../../../client/remote/outbox-item.ts";
import { printable } from "../../render/text-width.ts";

/** What a request is and how far it has come, for people and as JSON. */

export const whatOf = ({ what, type }: OutboxItem): string => printable(what ?? type.replaceAll(/[._]/g, " "));

export type StateTone = "live" | "good" | "bad" | undefined;

export function stateText(item: OutboxItem, nowMs: number): { word: string; tone: StateTone } {
  const { state, held, deadlineMs } = item;
  if (!isSettled(item) && deadlineMs <= nowMs) return { word: "too late", tone: "bad" };
  if (held) return { word: "refused", tone: "bad" };
  switch (state.kind) {
    case "queued":
      return { word: "here", tone: undefined };
    case "sent":
      return { word: "on its way", tone: "live" };
    case "delivered":
      return { word: "at a hub", tone: "live" };
    case "done":
      return { word: "done", tone: "good" };
    case "failed":
      return { word: "failed", tone: "bad" };
    default:
      return { word: "too late", tone: "bad" };
  }
}

/** `19:30` today, else `2025-11-28 19:30`; by the clock of this machine. */
export function untilText(atMs: number, nowMs: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const at = new Date(atMs);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return dayOf(at) === dayOf(new Date(nowMs)) ? time : `${dayOf(at)} ${time}`;
}

/** @param machine its name */
export function itemJson(item: OutboxItem, machine: string): Record<string, unknown> {
  const { id, type, state, held, createdMs, deadlineMs } = item;
  return {
    id,
    machine,
    what: whatOf(item),
    type,
    state: state.kind,
    is_over: isSettled(item),
    created_at: new Date(createdMs).toISOString(),
    until: new Date(deadlineMs).toISOString(),
    ...(state.kind === "done" ? { result: state.result ?? null } : {}),
    ...(state.kind === "failed" ? { error: state.error } : {}),
    ...(held ? { held } : {}),
  };
}
