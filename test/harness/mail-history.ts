/**
 * Judges what the participants of a mailbox wrote down: what they asked, what they were told, and when. It is pure, knows nothing of the mailbox's code, and
 * takes only that for a fault which no correct mailbox can bring about: of what was asked while something else was in hand the order is not known, and a
 * request without an answer may have been carried out or not.
 *
 * Times are milliseconds of the machine's monotonic clock, which all of its processes share.
 */

interface Line {
  /** Who asks. */
  by: string;
  /** Joins a request and its end; unique in a history. */
  op: string;
  atMs: number;
}

/** One message of one sender, wherever it is seen. */
export interface Copy {
  from: string;
  id: string;
  seq: number;
}

/** A request is a line when it is made and another when it ends; a participant that is killed leaves the first one alone. */
export type HistoryLine =
  /** `counter`: which one of its sender's requests it is; a repeat of a message has another. `handles`: it answers that message, and acknowledges it. */
  | (Line & { kind: "send"; id: string; to: string[]; counter: number; handles?: Handled })
  /** `to`: whom it went to, groups resolved; absent when the answer does not tell. */
  | (Line & { kind: "sent"; seq: number; to?: string[]; epoch?: number })
  | (Line & { kind: "fetch" })
  | (Line & { kind: "fetched"; messages: Copy[]; epoch?: number })
  | (Line & { kind: "ack"; messages: Handled[] })
  | (Line & { kind: "acked"; messages: Handled[]; epoch?: number })
  /** The answer says that it was not done. */
  | (Line & { kind: "refused"; code: string })
  /** No answer, or one that leaves it open. */
  | (Line & { kind: "unknown"; code: string })
  /** At the end it is still kept for `to`. */
  | (Copy & { kind: "left"; to: string; state: string })
  /** From then on, at the latest, that epoch leads. */
  | { kind: "epoch"; epoch: number; atMs: number };

export type Handled = Omit<Copy, "seq">;

/**
 * - `lost`: acknowledged to its sender; its recipient has not handled it, and it is not kept for it any more.
 * - `handed out again`: to a request made after the recipient's acknowledgement was confirmed.
 * - `stored twice`: one `(from, id)` with two places in the log.
 * - `reordered`: an earlier one of the same sender came first after a later one had come.
 * - `never sent`: nobody sent it, or not to this recipient.
 * - `refused, yet delivered`: its sender was told that it would not be.
 * - `fenced`: an epoch has answered what was asked after a newer one had begun.
 */
export type FindingKind =
  | "lost"
  | "handed out again"
  | "stored twice"
  | "reordered"
  | "never sent"
  | "refused, yet delivered"
  | "fenced";

export interface Finding {
  kind: FindingKind;
  /** `from/id → to`, or the request. */
  what: string;
  why: string;
}

export interface Judgement {
  findings: Finding[];
  counts: {
    sent: number;
    unknown: number;
    copies: number;
    fetched: number;
    handled: number;
    left: number;
    epochs: number;
  };
}

interface Sending {
  from: string;
  id: string;
  /** The message was written by one of the requests from the first to the last. */
  counters: { first: number; last: number };
  /** Undefined as long as groups are among them that no answer has resolved. */
  to: Set<string> | undefined;
  outcome: "sent" | "refused" | "unknown";
  seqs: Set<number>;
}

interface Delivery extends Copy {
  to: string;
  /** Of the fetch. */
  op: string;
  /** Its place within the answer. */
  index: number;
  beganMs: number;
  endedMs: number;
}

interface Acknowledgement {
  /** Undefined: never confirmed. */
  confirmedMs: number | undefined;
}

export function judge(lines: readonly HistoryLine[]): Judgement {
  const history = read(lines);
  const { sendings, deliveries, acknowledgements, left } = history;
  const findings = [
    ...lost(history),
    ...handedOutAgain(history),
    ...storedTwice(history),
    ...reordered(history),
    ...neverSent(history),
    ...refusedYetDelivered(history),
    ...fenced(history),
  ];
  const all = [...sendings.values()];
  const counts = {
    sent: all.filter(({ outcome }) => outcome === "sent").length,
    unknown: all.filter(({ outcome }) => outcome === "unknown").length,
    copies: all.reduce((sum, { outcome, to }) => sum + (outcome === "sent" ? (to?.size ?? 0) : 0), 0),
    fetched: deliveries.length,
    handled: [...acknowledgements.values()].filter(({ confirmedMs }) => confirmedMs !== undefined).length,
    left: left.length,
    epochs: history.epochs.size,
  };
  return { findings, counts };
}

interface History {
  /** By `from/id`. */
  sendings: Map<string, Sending>;
  deliveries: Delivery[];
  /** By `from/id → to`. */
  acknowledgements: Map<string, Acknowledgement>;
  left: Extract<HistoryLine, { kind: "left" }>[];
  /** When each one led already. */
  epochs: Map<number, number>;
  answers: { op: string; beganMs: number; epoch: number }[];
}

type Begun = Extract<HistoryLine, { kind: "send" | "fetch" | "ack" }>;
type Ended = Extract<HistoryLine, { kind: "sent" | "fetched" | "acked" | "refused" | "unknown" }>;

function read(lines: readonly HistoryLine[]): History {
  const ends = new Map<string, Ended>();
  for (const line of lines) if (isEnd(line)) ends.set(line.op, line);
  const history: History = {
    sendings: new Map(),
    deliveries: [],
    acknowledgements: new Map(),
    left: lines.filter((line) => line.kind === "left"),
    epochs: new Map(),
    answers: [],
  };
  for (const line of lines) if (line.kind === "epoch") led(history, line.epoch, line.atMs);
  for (const line of lines) if (isBegin(line)) readRequest(history, line, ends.get(line.op));
  return history;
}

function readRequest(history: History, begun: Begun, end: Ended | undefined): void {
  if (end && "epoch" in end && end.epoch !== undefined) {
    history.answers.push({ op: `${begun.by} ${begun.kind} ${begun.op}`, beganMs: begun.atMs, epoch: end.epoch });
    led(history, end.epoch, end.atMs);
  }
  switch (begun.kind) {
    case "send":
      readSend(history, begun, end);
      if (begun.handles) acknowledge(history, begun.handles, begun, end);
      break;
    case "fetch":
      if (end?.kind !== "fetched") break;
      for (const [index, copy] of end.messages.entries())
        history.deliveries.push({ ...copy, to: begun.by, op: begun.op, index, beganMs: begun.atMs, endedMs: end.atMs });
      break;
    case "ack":
      for (const one of begun.messages) acknowledge(history, one, begun, end);
      break;
  }
}

function led({ epochs }: History, epoch: number, atMs: number): void {
  epochs.set(epoch, Math.min(epochs.get(epoch) ?? Number.POSITIVE_INFINITY, atMs));
}

function readSend({ sendings }: History, begun: Extract<Begun, { kind: "send" }>, end: Ended | undefined): void {
  const key = `${begun.by}/${begun.id}`;
  const hasGroup = begun.to.some((name) => name.startsWith("@"));
  const sending = sendings.get(key) ?? {
    from: begun.by,
    id: begun.id,
    counters: { first: begun.counter, last: begun.counter },
    to: hasGroup ? undefined : new Set(begun.to),
    outcome: "refused",
    seqs: new Set<number>(),
  };
  sendings.set(key, sending);
  sending.counters.first = Math.min(sending.counters.first, begun.counter);
  if (sending.outcome !== "sent") sending.counters.last = Math.max(sending.counters.last, begun.counter);
  if (end?.kind === "sent") {
    sending.outcome = "sent";
    if (end.to) sending.to = new Set(end.to);
    sending.seqs.add(end.seq);
  } else if (end?.kind !== "refused" && sending.outcome === "refused") sending.outcome = "unknown";
}

function acknowledge({ acknowledgements }: History, { from, id }: Handled, begun: Begun, end: Ended | undefined): void {
  if (end?.kind === "refused") return;
  const key = copyKey({ from, id, to: begun.by });
  const isConfirmed =
    end?.kind === "sent" || (end?.kind === "acked" && end.messages.some((one) => one.id === id && one.from === from));
  if (end?.kind === "acked" && !isConfirmed) return; // it had not been offered, or was handled before
  const before = acknowledgements.get(key)?.confirmedMs;
  const confirmedMs = isConfirmed ? Math.min(before ?? Number.POSITIVE_INFINITY, end.atMs) : before;
  acknowledgements.set(key, { confirmedMs });
}

function* lost({ sendings, acknowledgements, left }: History): Generator<Finding> {
  const kept = new Set(left.map(copyKey));
  for (const { from, id, to, outcome } of sendings.values()) {
    if (outcome !== "sent") continue;
    for (const name of to ?? []) {
      const key = copyKey({ from, id, to: name });
      if (!acknowledgements.has(key) && !kept.has(key))
        yield { kind: "lost", what: key, why: "its sender has an acknowledgement, its recipient has nothing" };
    }
  }
}

function* handedOutAgain({ deliveries, acknowledgements }: History): Generator<Finding> {
  const told = new Set<string>();
  for (const delivery of deliveries) {
    const key = copyKey(delivery);
    const confirmedMs = acknowledgements.get(key)?.confirmedMs;
    if (confirmedMs === undefined || delivery.beganMs <= confirmedMs || told.has(key)) continue;
    told.add(key);
    const lateMs = (delivery.beganMs - confirmedMs).toFixed(1);
    yield {
      kind: "handed out again",
      what: key,
      why: `asked for ${lateMs} ms after its acknowledgement was confirmed`,
    };
  }
}

function* storedTwice({ sendings, deliveries, left }: History): Generator<Finding> {
  const seqs = new Map<string, Set<number>>();
  for (const copy of [...deliveries, ...left]) {
    const key = copyKey(copy);
    seqs.set(key, (seqs.get(key) ?? new Set()).add(copy.seq));
  }
  const all = [...seqs, ...[...sendings].map(([key, { seqs: ofAnswers }]) => [key, ofAnswers] as const)];
  for (const [what, places] of all)
    if (places.size > 1) yield { kind: "stored twice", what, why: `its places in the log: ${[...places].join(", ")}` };
}

/** Of each sender and recipient: what came first must not have been sent later, as far as the two fetches were one after the other. */
function* reordered({ sendings, deliveries }: History): Generator<Finding> {
  const pairs = new Map<string, Map<string, First>>();
  for (const delivery of deliveries) {
    const sending = sendings.get(`${delivery.from}/${delivery.id}`);
    if (!sending || !isFor(sending, delivery.to)) continue;
    const pair = `${delivery.from} → ${delivery.to}`;
    const firsts = pairs.get(pair) ?? new Map<string, First>();
    pairs.set(pair, firsts);
    const before = firsts.get(delivery.id);
    if (!before || isBefore(delivery, before.delivery)) firsts.set(delivery.id, { delivery, ...sending.counters });
  }
  for (const firsts of pairs.values()) yield* overtaken([...firsts.values()]);
}

/** A message's first delivery, and by which requests of its sender it was written. */
interface First {
  delivery: Delivery;
  first: number;
  last: number;
}

function* overtaken(firsts: readonly First[]): Generator<Finding> {
  const later = firsts.toSorted((a, b) => b.first - a.first);
  let soonest: Delivery | undefined; // of those sent later
  const foremost = new Map<string, Delivery>(); // the same, by fetch
  let at = 0;
  for (const { delivery, last } of firsts.toSorted((a, b) => b.last - a.last)) {
    for (; later[at] && later[at]!.first > last; at++) {
      const one = later[at]!.delivery;
      const inSame = foremost.get(one.op);
      if (!soonest || one.endedMs < soonest.endedMs) soonest = one;
      if (!inSame || one.index < inSame.index) foremost.set(one.op, one);
    }
    const overtaker = [soonest, foremost.get(delivery.op)].find((one) => one && isBefore(one, delivery));
    if (overtaker)
      yield { kind: "reordered", what: copyKey(delivery), why: `${overtaker.id}, sent later, came before it` };
  }
}

/** Surely so: the one answer was there before the other was asked for, or they stand in the same one. */
const isBefore = (a: Delivery, b: Delivery): boolean => (a.op === b.op ? a.index < b.index : a.endedMs < b.beganMs);

function* neverSent({ sendings, deliveries, left }: History): Generator<Finding> {
  const told = new Set<string>();
  for (const copy of [...deliveries, ...left]) {
    const sending = sendings.get(`${copy.from}/${copy.id}`);
    const key = copyKey(copy);
    if ((sending && isFor(sending, copy.to)) || told.has(key)) continue;
    told.add(key);
    yield { kind: "never sent", what: key, why: sending ? "not to this recipient" : "nobody sent it" };
  }
}

function* refusedYetDelivered({ sendings, deliveries }: History): Generator<Finding> {
  const delivered = new Map(deliveries.map((copy) => [`${copy.from}/${copy.id}`, copy]));
  for (const [key, { outcome }] of sendings) {
    const copy = delivered.get(key);
    if (outcome === "refused" && copy)
      yield { kind: "refused, yet delivered", what: copyKey(copy), why: "each of its answers was a refusal" };
  }
}

function* fenced({ epochs, answers }: History): Generator<Finding> {
  for (const { op, beganMs, epoch } of answers) {
    const newer = [...epochs].find(([other, atMs]) => other > epoch && atMs < beganMs);
    if (newer) yield { kind: "fenced", what: op, why: `answered by epoch ${epoch} while ${newer[0]} led` };
  }
}

export const copyKey = ({ from, id, to }: Handled & { to: string }): string => `${from}/${id} → ${to}`;

const isFor = ({ to }: Sending, name: string): boolean => to?.has(name) ?? true;

const isBegin = (line: HistoryLine): line is Begun =>
  line.kind === "send" || line.kind === "fetch" || line.kind === "ack";

const isEnd = (line: HistoryLine): line is Ended =>
  line.kind === "sent" ||
  line.kind === "fetched" ||
  line.kind === "acked" ||
  line.kind === "refused" ||
  line.kind === "unknown";
