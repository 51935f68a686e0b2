import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { fromWire, messageOf } from "../../protocol/errors.ts";
import { closed } from "./errors.ts";
import type { ThreadAnswer, ThreadCall, ThreadData } from "./thread-messages.ts";

type Settled = Extract<ThreadAnswer, { call: number }>;
type Given<T> = T extends unknown ? Omit<T, "call"> : never;

/** One of the log's threads, from the main thread's side: calls and their answers. */
export class LogThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, { resolve: (answer: Settled) => void; reject: (error: Error) => void }>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #lastCall = 0;
  #end: Error | undefined;

  /** Ended by itself, or by what it threw. */
  constructor(data: ThreadData, onEnd: (error: Error) => void = () => undefined) {
    this.#worker = new Worker(threadScript(), { workerData: data });
    this.#worker.unref(); // who waits for a call holds the process
    this.#worker.on("message", (answer: ThreadAnswer) => this.#take(answer));
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(messageOf(error))));
    this.#worker.on("exit", () => {
      const isExpected = this.#end !== undefined;
      this.#fail(this.#end ?? new Error(`the mailbox's ${data.role} ended`));
      this.#ended.resolve();
      if (!isExpected) onEnd(this.#end!);
    });
    this.#ready.promise.catch(() => undefined); // those who wait for it are told
    this.#worker.on("error", (error) => onEnd(error instanceof Error ? error : new Error(messageOf(error))));
  }

  /** Nothing can be asked of it any more. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** When it has opened the log; rejects with why it could not. */
  ready(): Promise<void> {
    this.#worker.ref();
    return this.#ready.promise.finally(() => this.#rest());
  }

  /** Rejects with the typed error that it was refused with. */
  call(given: Given<ThreadCall>): Promise<Settled> {
    if (this.#end) return Promise.reject(this.#end);
    this.#lastCall += 1;
    const call = this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...given, call });
    });
  }

  /** After what it has in hand. */
  async close(): Promise<void> {
    if (!this.#end) {
      await this.call({ kind: "close" }).catch(() => undefined);
      this.#end ??= closed();
    }
    this.#worker.ref();
    await this.#ended.promise;
  }

  #take(answer: ThreadAnswer): void {
    if (answer.kind === "ready") return this.#ready.resolve();
    if (answer.kind === "failed") return this.#fail(fromWire(answer.error));
    const waiting = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (answer.kind === "refused") waiting?.reject(fromWire(answer.error));
    else waiting?.resolve(answer);
    this.#rest();
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#ready.reject(error);
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #rest(): void {
    if (this.#calls.size === 0) this.#worker.unref();
  }
}

/** Beside the bundle that this is part of, or one above its chunks; from source the file itself. */
function threadScript(): URL {
  const bundled = ["./mail-log.js", "../mail-log.js"].map((path) => new URL(path, import.meta.url));
  return bundled.find((url) => existsSync(fileURLToPath(url))) ?? new URL("./writer-thread.ts", import.meta.url);
}
