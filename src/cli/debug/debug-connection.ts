import { dialUnixBytes } from "../../local/unix-wire.ts";
import type { DebugAnswers, DebugRequest } from "../../protocol/debug.ts";
import { fromWire, messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";

/** One request on a debug socket, and what follows its answer. */
export interface DebugExchange<T extends DebugRequest["type"]> {
  data: DebugAnswers[T];
  /** Until the server closes or the caller does. What is not taken stays with the server, which cuts off who lags too far behind. */
  events: AsyncIterable<unknown>;
  close(): void;
}

/** A server that works answers in milliseconds. */
const ANSWER_TIMEOUT_MS = 3_000;
/** Events that wait here; past it, the server is not read. */
const EVENTS_WAITING_MAX = 1_000;

/** @throws DEBUG_UNREACHABLE when nobody listens, DEBUG_SILENT when nobody answers, and what the server refuses */
export async function askDebug<T extends DebugRequest["type"]>(
  path: string,
  request: Extract<DebugRequest, { type: T }>,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<DebugExchange<T>> {
  const answer = Promise.withResolvers<DebugAnswers[T]>();
  const events = new Waiting();
  const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
  answer.promise.catch(() => {}); // it may be settled before anybody waits
  const wire = await dialUnixBytes(path, {
    onBytes: (bytes) => {
      for (const line of splitter.push(bytes)) {
        const message = JSON.parse(line);
        if (message.event !== undefined) events.push(message.data);
        else if (message.success) answer.resolve(message.data);
        else answer.reject(fromWire(message));
      }
      if (events.count > EVENTS_WAITING_MAX) wire.pause();
    },
    onClose: () => {
      answer.reject(unreachable(path, "it closed the connection"));
      events.end();
    },
  }).catch((error) => {
    throw unreachable(path, systemCode(error) ?? messageOf(error));
  });
  events.onTaken = () => wire.resume();
  const timer = setTimeout(() => answer.reject(silent(path, timeoutMs)), timeoutMs);
  try {
    wire.send(Buffer.from(`${JSON.stringify(request)}\n`));
    return { data: await answer.promise, events, close: () => wire.close() };
  } catch (error) {
    wire.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What has come and was not taken. */
class Waiting implements AsyncIterable<unknown> {
  onTaken = (): void => {};
  #items: unknown[] = [];
  #isOver = false;
  #wake = (): void => {};

  get count(): number {
    return this.#items.length;
  }

  push(item: unknown): void {
    this.#items.push(item);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for (;;) {
      const items = this.#items;
      this.#items = [];
      this.onTaken();
      yield* items;
      if (this.#items.length > 0) continue;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const unreachable = (path: string, why: string): WarrenError =>
  new WarrenError("DEBUG_UNREACHABLE", `Nobody answers at ${path}: ${why}.`, { fix: "warren servers" });

const silent = (path: string, timeoutMs: number): WarrenError =>
  new WarrenError("DEBUG_SILENT", `No answer at ${path} in ${timeoutMs} ms.`, { fix: "warren servers" });
