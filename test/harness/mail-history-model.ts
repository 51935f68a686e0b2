import { type Copy, copyKey, type FindingKind, type Handled, type HistoryLine } from "./mail-history.ts";
import type { Random } from "./random.ts";

/**
 * Histories of a mailbox that makes no fault, as participants would write them down while leaders die under them: requests overlap, answers get lost with or
 * without their effect, leases end. And faults to plant in them, exactly one at a time.
 */
const NAMES = ["ash", "birch", "cedar", "elm"];
const FETCH_MAX = 4;
const LEASE_MS = 40;

interface Stored extends Copy {
  to: string;
  handled: boolean;
  leaseUntilMs: number;
}

interface InHand {
  begun: Extract<HistoryLine, { kind: "send" | "fetch" | "ack" }>;
  /** The line that would end it; undefined until it takes effect. */
  end?: HistoryLine;
}

export function correctHistory(random: Random, steps = 600): HistoryLine[] {
  const model = new MailboxModel(random);
  for (let step = 0; step < steps; step++) model.step();
  return model.end();
}

class MailboxModel {
  readonly #random: Random;
  readonly #lines: HistoryLine[];
  readonly #stored: Stored[] = [];
  readonly #inHand = new Map<string, InHand>();
  /** Fetched and not acknowledged, by reader. */
  readonly #known = new Map<string, Handled[]>();
  readonly #counters = new Map<string, number>();
  #nowMs = 1_000;
  #epoch = 1;
  #nextSeq = 1;
  #nextOp = 1;

  constructor(random: Random) {
    this.#random = random;
    this.#lines = [{ kind: "epoch", epoch: this.#epoch, atMs: this.#nowMs }];
  }

  /** Somebody asks, or what was asked takes effect, or is answered. */
  step(): void {
    const random = this.#random;
    this.#nowMs += random.between(1, 10);
    if (random.oneIn(30)) this.#lines.push({ kind: "epoch", epoch: ++this.#epoch, atMs: this.#nowMs });
    const by = random.pick(NAMES);
    const one = this.#inHand.get(by);
    if (!one) {
      const begun = this.#request(by);
      this.#lines.push(begun);
      this.#inHand.set(by, { begun });
    } else if (one.end || random.oneIn(25)) this.#answer(by, one);
    else one.end = this.#effect(one.begun);
  }

  end(): HistoryLine[] {
    for (const { handled, leaseUntilMs, ...copy } of this.#stored)
      if (!handled)
        this.#lines.push({ kind: "left", state: leaseUntilMs > this.#nowMs ? "offered" : "queued", ...copy });
    return this.#lines;
  }

  #request(by: string): InHand["begun"] {
    const random = this.#random;
    const base = { by, op: `op${this.#nextOp++}`, atMs: this.#nowMs };
    const toHandle = this.#known.get(by) ?? [];
    if (toHandle.length > 0 && random.oneIn(2))
      return { ...base, kind: "ack", messages: toHandle.splice(0, random.between(1, toHandle.length)) };
    if (random.oneIn(2)) return { ...base, kind: "fetch" };
    const counter = (this.#counters.get(by) ?? 0) + 1;
    this.#counters.set(by, counter);
    const to = random.oneIn(6) ? ["@all"] : [random.pick(NAMES.filter((name) => name !== by))];
    const handles = random.oneIn(5) ? toHandle.shift() : undefined;
    return { ...base, kind: "send", id: `m${counter}`, to, counter, ...(handles ? { handles } : {}) };
  }

  /** The answer, as of now. */
  #effect(begun: InHand["begun"]): HistoryLine {
    const { by, op } = begun;
    const base = { by, op, atMs: this.#nowMs, epoch: this.#epoch };
    switch (begun.kind) {
      case "send":
        return { ...base, kind: "sent", ...this.#store(begun) };
      case "ack":
        return { ...base, kind: "acked", messages: begun.messages.filter((message) => this.#handle(by, message)) };
      case "fetch":
        return { ...base, kind: "fetched", messages: this.#offer(by) };
    }
  }

  #store({ by, id, to, handles }: Extract<InHand["begun"], { kind: "send" }>): { seq: number; to: string[] } {
    const names = to[0] === "@all" ? NAMES.filter((name) => name !== by) : to;
    const seq = this.#nextSeq++;
    for (const name of names) this.#stored.push({ from: by, id, seq, to: name, handled: false, leaseUntilMs: 0 });
    if (handles) this.#handle(by, handles);
    return { seq, to: names };
  }

  #handle(by: string, { from, id }: Handled): boolean {
    const isMeant = (copy: Stored): boolean => copy.to === by && copy.from === from && copy.id === id;
    const one = this.#stored.find((copy) => isMeant(copy) && !copy.handled);
    if (one) one.handled = true;
    return one !== undefined;
  }

  /** While an earlier one of a sender is under a lease, later ones wait. */
  #offer(by: string): Copy[] {
    const mine = this.#stored.filter((copy) => copy.to === by && !copy.handled);
    const held = new Set(mine.filter(({ leaseUntilMs }) => leaseUntilMs > this.#nowMs).map(({ from }) => from));
    const open = mine.filter(({ from }) => !held.has(from)).slice(0, this.#random.between(1, FETCH_MAX));
    for (const copy of open) copy.leaseUntilMs = this.#nowMs + LEASE_MS;
    return open.map(({ from, id, seq }) => ({ from, id, seq }));
  }

  #answer(by: string, { begun: { op }, end }: InHand): void {
    this.#inHand.delete(by);
    if (!end || this.#random.oneIn(12))
      this.#lines.push({ kind: "unknown", by, op, atMs: this.#nowMs, code: "CONNECTION_LOST" });
    else {
      this.#lines.push({ ...end, atMs: this.#nowMs } as HistoryLine);
      if (end.kind === "fetched") this.#known.set(by, [...(this.#known.get(by) ?? []), ...end.messages]);
    }
  }
}

export interface Planted {
  lines: HistoryLine[];
  kind: FindingKind;
  what: string;
}

/** One fault of each kind, at a place that chance picks; undefined when this history has no place for it. */
export const PLANTS: Record<FindingKind, (lines: HistoryLine[], random: Random) => Planted | undefined> = {
  lost: (lines, random) => {
    const sends = lines.filter((line) => line.kind === "send");
    const copies = lines
      .filter((line) => line.kind === "sent")
      .flatMap(({ by, op, to }) =>
        (to ?? []).map((name) => ({ from: by, id: sends.find((one) => one.op === op)!.id, to: name })),
      );
    if (copies.length === 0) return undefined;
    const gone = random.pick(copies);
    const isOther = ({ from, id }: Handled): boolean => from !== gone.from || id !== gone.id;
    const keepsFetches = random.oneIn(2); // it was seen, or never
    const kept = lines.flatMap((line): HistoryLine[] => {
      if (line.kind === "left") return isOther(line) || line.to !== gone.to ? [line] : [];
      if (!("by" in line) || line.by !== gone.to) return [line];
      if (line.kind === "fetched" && !keepsFetches) return [{ ...line, messages: line.messages.filter(isOther) }];
      if (line.kind === "ack" || line.kind === "acked") return [{ ...line, messages: line.messages.filter(isOther) }];
      if (line.kind === "send" && line.handles && !isOther(line.handles)) {
        const { handles: _, ...rest } = line;
        return [rest];
      }
      return [line];
    });
    return { lines: kept, kind: "lost", what: copyKey(gone) };
  },

  "handed out again": (lines, random) => {
    const acked = lines.filter((line) => line.kind === "acked").filter(({ messages }) => messages.length > 0);
    if (acked.length === 0) return undefined;
    const { by, messages } = random.pick(acked);
    const { from, id } = random.pick(messages);
    const seq = lines
      .filter((line) => line.kind === "fetched")
      .filter((line) => line.by === by)
      .flatMap((line) => line.messages)
      .find((one) => one.from === from && one.id === id)!.seq;
    return {
      lines: [...lines, ...fetchAtEnd(lines, by, { from, id, seq })],
      kind: "handed out again",
      what: copyKey({ from, id, to: by }),
    };
  },

  "stored twice": (lines, random) => {
    const all = lines.filter((line) => line.kind === "fetched");
    const twice = all.flatMap((line) =>
      line.messages
        .filter((one) => all.some((other) => other.op !== line.op && other.by === line.by && has(other.messages, one)))
        .map((message) => ({ line, message })),
    );
    if (twice.length === 0) return undefined;
    const { line, message } = random.pick(twice);
    const messages = line.messages.map((one) => (one === message ? { ...one, seq: one.seq + 100_000 } : one));
    return {
      lines: lines.map((one) => (one === line ? { ...line, messages } : one)),
      kind: "stored twice",
      what: copyKey({ ...message, to: line.by }),
    };
  },

  reordered: (lines, random) => {
    const seen = new Set<string>();
    const places: { line: HistoryLine & { kind: "fetched" }; at: number }[] = [];
    for (const line of lines) {
      if (line.kind !== "fetched") continue;
      const isFirst = line.messages.map((one) => !seen.has(copyKey({ ...one, to: line.by })));
      for (const one of line.messages) seen.add(copyKey({ ...one, to: line.by }));
      for (let at = 1; at < line.messages.length; at++)
        if (isFirst[at - 1] && isFirst[at] && line.messages[at - 1]!.from === line.messages[at]!.from)
          places.push({ line, at });
    }
    if (places.length === 0) return undefined;
    const { line, at } = random.pick(places);
    const messages = line.messages.slice();
    [messages[at - 1], messages[at]] = [messages[at]!, messages[at - 1]!];
    return {
      lines: lines.map((one) => (one === line ? { ...line, messages } : one)),
      kind: "reordered",
      what: copyKey({ ...messages[at]!, to: line.by }),
    };
  },

  "never sent": (lines, random) => {
    const by = random.pick(NAMES);
    const from = random.pick(NAMES.filter((name) => name !== by));
    const addressed = lines
      .filter((line) => line.kind === "send")
      .filter(({ by: sender, to }) => sender === from && !to.includes(by) && !to.includes("@all"));
    const id = addressed.length > 0 && random.oneIn(2) ? random.pick(addressed).id : "m100000";
    const wasRefused = !lines.some((line) => line.kind === "fetched" && line.messages.some((one) => one.id === id));
    if (id !== "m100000" && wasRefused) return undefined;
    const counterIsUnknown = fetchAtEnd(lines, by, { from, id, seq: 900_000 });
    return { lines: [...lines, ...counterIsUnknown], kind: "never sent", what: copyKey({ from, id, to: by }) };
  },

  "refused, yet delivered": (lines, random) => {
    const sends = lines
      .filter((line) => line.kind === "send")
      .filter(({ to, handles }) => to[0] !== "@all" && !handles);
    const delivered = lines.flatMap((line) =>
      line.kind === "fetched" ? line.messages.map((one) => ({ ...one, to: line.by })) : [],
    );
    // One that was tried again, or of which the end is not known, may have been taken all the same.
    const isOnce = ({ by, id }: { by: string; id: string }): boolean =>
      lines.filter((line) => line.kind === "send" && line.by === by && line.id === id).length === 1;
    const places = sends
      .filter((one) => isOnce(one) && lines.some((line) => isEndOf(line, one.op)))
      .filter(({ by, id }) => delivered.some((one) => one.from === by && one.id === id));
    if (places.length === 0) return undefined;
    const { op, by, id, to } = random.pick(places);
    return {
      lines: lines.map((line) =>
        isEndOf(line, op) ? { kind: "refused", by, op, atMs: line.atMs, code: "MAILBOX_FULL" } : line,
      ),
      kind: "refused, yet delivered",
      what: copyKey({ from: by, id, to: to[0]! }),
    };
  },

  fenced: (lines, random) => {
    const epochs = lines.filter((line) => line.kind === "epoch");
    const answered = lines.flatMap((line) => {
      if (line.kind !== "sent" && line.kind !== "fetched" && line.kind !== "acked") return [];
      const begun = lines.find((one) => isBeginOf(one, line.op))!;
      const led = epochs.filter(({ atMs }) => "atMs" in begun && atMs < begun.atMs).at(-1);
      return led && led.epoch > 1 ? [{ line, begun, epoch: led.epoch - 1 }] : [];
    });
    if (answered.length === 0) return undefined;
    const { line, begun, epoch } = random.pick(answered);
    return {
      lines: lines.map((one) => (one === line ? { ...line, epoch } : one)),
      kind: "fenced",
      what: `${line.by} ${begun.kind} ${line.op}`,
    };
  },
};

const has = (messages: readonly Copy[], { from, id }: Handled): boolean =>
  messages.some((one) => one.from === from && one.id === id);

const isBeginOf = (line: HistoryLine, op: string): boolean =>
  (line.kind === "send" || line.kind === "fetch" || line.kind === "ack") && line.op === op;

const isEndOf = (line: HistoryLine, op: string): line is Extract<HistoryLine, { op: string }> =>
  "op" in line && line.op === op && !isBeginOf(line, op);

function fetchAtEnd(lines: readonly HistoryLine[], by: string, copy: Copy): HistoryLine[] {
  const lastMs = Math.max(...lines.map((line) => ("atMs" in line ? line.atMs : 0)));
  return [
    { kind: "fetch", by, op: "planted", atMs: lastMs + 1 },
    { kind: "fetched", by, op: "planted", atMs: lastMs + 2, messages: [copy] },
  ];
}
