import { stripVTControlCharacters } from "node:util";
import type { Clock } from "../platform/clock.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Session, SessionCondition } from "../protocol/units.ts";
import { LinePattern } from "../runs/line-pattern.ts";
import type { OutputReader } from "./output-reader.ts";

/** Resolves when one (or all) of the conditions hold: it ends, is idle, needs somebody, or writes what a pattern says. */
export interface Watched {
  /** As it is when the wait begins. */
  first: Session;
  /** Undefined while it is on its way to another server. @throws SESSION_MOVED once it is there */
  look(): { session: Session; outputBytes: number } | undefined;
  /** Asked again as long as there is none: nothing is written there yet. */
  openOutput(offset: number): Promise<OutputReader | undefined>;
  /** Calls back after every change; the answer stops that. */
  watch(listener: () => void): () => void;
  clock: Clock;
}

/** What of the output a pattern is looked for in; the time that it may take is LinePattern's. */
const TAIL_CHARACTERS = 64 * 1024;

export async function waitForSession(
  watched: Watched,
  { conditions, mode = "any", timeout_ms, since }: PayloadOf<"session.wait">,
  signal: AbortSignal,
): Promise<DataOf<"session.wait">> {
  const patterns = new Map(
    conditions.flatMap((one) => (one.kind === "output" ? [[one, new LinePattern(one)] as const] : [])),
  );
  await using output = patterns.size > 0 ? new OutputTail(watched, since) : undefined;
  const { promise, resolve, reject } = Promise.withResolvers<DataOf<"session.wait">>();
  const met = new Set<SessionCondition>();
  let session = watched.first;
  let isOver = false;
  const settle = (result: "met" | "timeout" | "ended"): void =>
    resolve({ session, met: conditions.filter((one) => met.has(one)), result });
  const look = async (): Promise<void> => {
    const seen = isOver ? undefined : watched.look();
    if (!seen) return;
    session = seen.session;
    const text = patterns.size > 0 ? await output?.read() : undefined;
    for (const one of conditions) if (!met.has(one) && (await holds(one, session, text, patterns))) met.add(one);
    if (mode === "any" ? met.size > 0 : met.size === conditions.length) settle("met");
    else if (session.status === "stopped") settle("ended");
  };
  let looking: Promise<void> = Promise.resolve();
  let isLookDue = false;
  const onChange = (): void => {
    if (isLookDue) return;
    isLookDue = true;
    looking = looking
      .then(() => {
        isLookDue = false;
        return look();
      })
      .catch(reject);
  };
  const stopWatching = watched.watch(onChange);
  const cancelTimer = timeout_ms === undefined ? () => {} : watched.clock.timer(timeout_ms, () => settle("timeout"));
  const poll = patterns.size > 0 ? setInterval(onChange, OUTPUT_LOOK_MS) : undefined;
  const onAbort = (): void => settle("timeout");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort(); // its client went while the output was opened
  onChange();
  try {
    return await promise;
  } finally {
    stopWatching();
    cancelTimer();
    clearInterval(poll);
    signal.removeEventListener("abort", onAbort);
    isOver = true;
    await output?.close(); // else a look would read until it has caught up
    await looking;
  }
}

/** Output that changes no state is looked at this often, while somebody waits for a pattern. */
const OUTPUT_LOOK_MS = 50;

/** `text`: undefined where it is what was tried before. @throws PATTERN_SLOW */
async function holds(
  condition: SessionCondition,
  session: Session,
  text: string | undefined,
  patterns: ReadonlyMap<SessionCondition, LinePattern>,
): Promise<boolean> {
  switch (condition.kind) {
    case "exit":
      return session.status === "stopped";
    case "idle":
      return session.state === "idle";
    case "needs_you":
      return session.state === "needs_you";
    case "output":
      return text !== undefined && (await patterns.get(condition)!.matches(text));
    default:
      return false; // a newer client's
  }
}

/** The end of what was written since the wait began, without control sequences. */
class OutputTail implements AsyncDisposable {
  readonly #watched: Watched;
  readonly #since: number;
  readonly #decoder = new TextDecoder();
  #reader: OutputReader | undefined;
  #text = "";
  #hasNews = true;
  #isClosed = false;

  constructor(watched: Watched, since = watched.look()?.outputBytes ?? 0) {
    this.#watched = watched;
    this.#since = since;
  }

  /** Undefined where nothing was written since the last time. */
  async read(): Promise<string | undefined> {
    this.#reader ??= await this.#watched.openOutput(this.#since);
    if (this.#isClosed) await this.#reader?.close();
    for (;;) {
      const piece = await this.#reader?.read(TAIL_CHARACTERS);
      if (piece === undefined || piece.kind === "none" || piece.kind === "gone") break;
      if (piece.kind !== "output") continue;
      this.#text = (this.#text + this.#decoder.decode(piece.bytes, { stream: true })).slice(-TAIL_CHARACTERS);
      this.#hasNews = true;
    }
    if (!this.#hasNews) return undefined;
    this.#hasNews = false;
    return stripVTControlCharacters(this.#text);
  }

  /** A read that is under way ends. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reader?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
