import { isSettled, type OutboxItem } from "../../client/remote/outbox-item.ts";
import type { UnitState } from "./unit-state.ts";

/** What this browser has asked of machines, as its page shows it: for each machine one list, in the order in which it goes. */
export interface OutboxGroup {
  machine: string;
  name: string;
  lines: readonly OutboxLine[];
}

export interface OutboxLine {
  id: string;
  machine: string;
  /** What was asked, in words: `say to fox`. */
  what: string;
  /** The text itself, where it is one. */
  text: string | undefined;
  state: UnitState;
  /** What it waits for, or what the machine has said. */
  detail: string;
  /** What can be typed or done about a failure. */
  fix: string | undefined;
  createdMs: number;
  /** Undefined: it is over. */
  deadlineMs: number | undefined;
  /** It is here alone: it can be changed and taken back. */
  isHere: boolean;
  /** It is over, and can be put away. */
  isOver: boolean;
  /** The field of its payload that can be edited, while it is here. */
  field: "text" | "body" | undefined;
}

/** What is known of units for words: an id, and what people call it. */
export type NameOf = (machine: string, unit: string | undefined) => string;

export function outboxGroups(
  items: readonly OutboxItem[],
  { machineName, unitName }: { machineName: (machine: string) => string; unitName: NameOf },
): OutboxGroup[] {
  const byMachine = Map.groupBy(items, ({ machine }) => machine);
  return [...byMachine]
    .map(([machine, some]) => {
      const name = machineName(machine);
      return { machine, name, lines: some.map((item) => lineOf(item, { name, unitName })) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The item's payload with another text. */
export const withText = ({ payload }: OutboxItem, text: string): Record<string, unknown> => {
  const field = fieldOf(payload);
  return field === undefined ? payload : { ...payload, [field]: text };
};

function lineOf(item: OutboxItem, { name, unitName }: { name: string; unitName: NameOf }): OutboxLine {
  const { id, machine, payload, createdMs, deadlineMs, state } = item;
  const field = fieldOf(payload);
  return {
    id,
    machine,
    what: whatOf(item, unitName),
    text: field === undefined ? undefined : String(payload[field]),
    ...stateOf(item, name),
    createdMs,
    deadlineMs: isSettled(item) ? undefined : deadlineMs,
    isHere: state.kind === "queued",
    isOver: isSettled(item) && item.sealed?.isPut !== false,
    field: state.kind === "queued" ? field : undefined,
  };
}

function stateOf({ state, held }: OutboxItem, name: string): Pick<OutboxLine, "state" | "detail" | "fix"> {
  const said = (glyph: string, word: string, tone: UnitState["tone"], detail: string, fix?: string) => ({
    state: { glyph, word, tone },
    detail,
    fix,
  });
  if (held && !["done", "failed", "expired"].includes(state.kind))
    return said(
      "◌",
      "not let in",
      "bad",
      `${name} does not let this browser in any more: it stays here until you pair again, or take it back.`,
      held.fix,
    );
  switch (state.kind) {
    case "queued":
      return said("◌", "queued", "quiet", `Here, until ${name} or one of its hubs can be reached.`);
    case "sent":
      return said("◐", "sent", "live", "On its way; it may have arrived.");
    case "delivered":
      return said("◐", "at a hub", "live", `Sealed, in the store of a hub, until ${name} is there.`);
    case "done":
      return said("✓", "done", "good", `${name} has done it.`);
    case "failed":
      return said("✗", "failed", "bad", state.error.error, state.error.fix);
    case "expired":
      return said("✗", "too late", "bad", "Its time went by, and nobody has said what became of it.");
    default:
      return said("◌", "unknown", "quiet", "A newer version of the app has written this.");
  }
}

function whatOf({ machine, unit, type, payload }: OutboxItem, unitName: NameOf): string {
  const session = typeof payload.session === "string" ? payload.session : undefined;
  const name = unitName(machine, unit ?? session ?? (payload.job_id as string | undefined));
  switch (type) {
    case "session.prompt":
      return `Say to ${name}`;
    case "session.send":
      return `Type into ${name}`;
    case "session.answer":
      return `Answer ${name}: ${String(payload.choice)}`;
    case "mail.send":
      return `Mail to ${[payload.to].flat().join(", ")}`;
    case "mail.reply":
      return `Reply to ${String(payload.from)}`;
    case "gateway.stop":
      return `stop ${String(payload.worker)}`;
    case "session.new":
      return "Start a session";
    default:
      return `${type.replace(/^session\./, "").replaceAll(/[._]/g, " ")}${name === "" ? "" : ` ${name}`}`;
  }
}

/** What a person has written, of the messages that carry such. */
const fieldOf = (payload: Record<string, unknown>): OutboxLine["field"] =>
  typeof payload.text === "string" ? "text" : typeof payload.body === "string" ? "body" : undefined;
