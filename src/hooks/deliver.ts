import type { OfferedMessage } from "../protocol/mail-units.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { ProcessRef } from "./agent-process.ts";
import { type Give, type Gives, isProven, isUnfinished } from "./gives.ts";
import type { LeaderWire } from "./leader-wire.ts";

/**
 * The way of mail into an agent by its hooks: `offered` when a hook hands it out, `seen` when a later hook of the same session runs, `handled` when the turn in
 * which it was seen is over. Whoever is killed in between leaves it to be offered again.
 */
export interface Delivery {
  wire: LeaderWire;
  name: string;
  gives: Gives;
  /** When this hook began, in milliseconds since 1970. */
  begunMs: number;
  by: ProcessRef;
  agent: ProcessRef | undefined;
  randomId: () => string;
  nowMs: () => number;
}

/** Mail in hand; it is with the agent when `written` is called, after it was written out. */
export interface HandedOut {
  messages: OfferedMessage[];
  /** Unread besides these. */
  left: number;
  written(): void;
}

/** A turn may take so long until its next hook; an agent that dies sooner holds up its mail no longer than this. */
const LEASE_MS = 600_000;
/** Messages that are looked at to see whether one is worth an interruption. */
const LOOKED_AT = 10;

export interface Wanted {
  /** `new`: only since somebody has written who was not told of as being left. `worthwhile`: not what the mailbox itself says alone. */
  give: "new" | "worthwhile" | "anything" | "nothing";
  /** When the turn is over, what was given in it is handled; else it is seen. */
  turn: "goes_on" | "over" | "over_unless_given";
}

/** Confirms what was given before, and fetches what there is. Undefined when there is nothing to give. */
export async function deliver(
  delivery: Delivery,
  { give, turn }: Wanted,
  known: readonly Give[],
): Promise<HandedOut | undefined> {
  const { begunMs } = delivery;
  const proven = known.filter((one) => isProven(one, begunMs) || one.state === "seen");
  await confirm(delivery, proven, turn === "over" ? "handled" : "seen");
  const asked = give === "nothing" ? undefined : await toAsk(delivery, give, known);
  if (!asked && turn === "over_unless_given") await confirm(delivery, proven, "handled");
  return asked && fetched(delivery, asked);
}

/** What is asked for now; what a killed hook had asked for comes first. */
async function toAsk(
  delivery: Delivery,
  wanted: Exclude<Wanted["give"], "nothing">,
  known: readonly Give[],
): Promise<Give | undefined> {
  const { wire, name, gives, by, agent, nowMs, randomId } = delivery;
  const isStale = ({ at_ms }: Give): boolean => nowMs() - at_ms >= LEASE_MS; // it is in the mailbox again
  const ofTheDead = known.filter(isUnfinished);
  for (const give of ofTheDead.filter(isStale)) gives.forget(give);
  const unfinished = ofTheDead.find((give) => !isStale(give));
  const whose = { by, ...(agent === undefined ? {} : { agent }) };
  if (unfinished) return { ...unfinished, ...whose };
  const look = await wire.ask("mail.fetch", { as: name, peek: true, limit: LOOKED_AT });
  if (look.messages.length === 0) return undefined;
  if (wanted !== "anything" && look.messages.every(({ kind }) => kind === "notice")) return undefined;
  if (wanted === "new" && !isNews(look, known, delivery.begunMs)) return undefined;
  const { fittingCount } = await import("./mail-text.ts"); // not loaded when there is no mail, as mostly
  const limit = fittingCount(look.messages);
  return { format: 1, request_id: randomId(), limit, ...whose, state: "asking", at_ms: nowMs(), ids: [], left: 0 };
}

async function fetched({ wire, name, gives, nowMs }: Delivery, asked: Give): Promise<HandedOut | undefined> {
  gives.keep(asked);
  const { limit, request_id } = asked;
  const { messages, unread: left } = await wire.ask("mail.fetch", { as: name, limit, lease_ms: LEASE_MS }, request_id);
  if (messages.length === 0) return void gives.forget(asked); // another reader of the name was quicker
  const ids = messages.map(({ id }) => id);
  return { messages, left, written: () => gives.keep({ ...asked, state: "given", at_ms: nowMs(), ids, left }) };
}

/** Late or twice does no harm: the log knows how far each has come. */
async function confirm(
  { wire, name, gives, randomId }: Delivery,
  proven: readonly Give[],
  state: "seen" | "handled",
): Promise<void> {
  const done = proven.filter((give) => state === "handled" || give.state !== state);
  const ids = done.flatMap((give) => give.ids);
  if (ids.length === 0) return;
  await wire.ask("mail.ack", { as: name, ids, state }, randomId());
  for (const give of done) {
    if (state === "handled") gives.forget(give);
    else gives.keep({ ...give, state });
  }
}

/** Somebody has written since the agent was told how much is left. What a hook beside this one is giving counts as unread still. */
function isNews({ messages, unread }: DataOf<"mail.fetch">, known: readonly Give[], begunMs: number): boolean {
  const given = known.filter(({ state }) => state !== "asking").toSorted((a, b) => b.at_ms - a.at_ms);
  const inHand = given.filter((give) => give.state === "given" && !isProven(give, begunMs));
  const handedOut = inHand.reduce((sum, { ids }) => sum + ids.length, 0);
  return messages.length + unread - handedOut > (given[0]?.left ?? 0);
}
