import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type Clock, systemClock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { messageOf, unreachable } from "../../protocol/errors.ts";
import type { JournalEnd } from "../keeper-port.ts";
import type {
  PlacedText,
  ScreenAnswer,
  ScreenEvent,
  ScreenLook,
  ScreenPicture,
  ScreenRequest,
} from "./screen-messages.ts";

/**
 * The screens of a server's sessions, made in a thread of their own, which is started with the first session. A thread that fails is started again, and
 * makes its screens from the last snapshots and the journals; who waits for a picture does not notice.
 */
export interface ScreensOptions {
  log: Log;
  onEvent: (id: string, event: ScreenEvent) => void;
  clock?: Clock;
  random?: () => number;
  /** The thread's script: in the bundle beside the server, else the source. */
  script?: URL;
}

interface Call {
  request: ScreenLook;
  /** Threads that died with it. */
  failureCount: number;
  resolve(data: ScreenPicture | PlacedText): void;
  reject(error: Error): void;
}

type Look = { kind: "screen" } | { kind: "text"; isStyled: boolean } | { kind: "render"; cols: number; rows: number };

/** A look during which the thread died so often is given up: it may be what kills it. */
const LOOK_FAILURES_MAX = 3;
const RESTART_BACKOFF = { firstMs: 10, maxMs: 5_000 };
/** A thread that lives so long was no failure to start. */
const HEALTHY_AFTER_MS = 10_000;
/**
 * Of the thread's heap, without the screens' cells. Past the old generation's, the thread ends and is started again. A small young one keeps memory flat
 * when many sleeping screens are looked at (31 kB a session instead of 135, of 500) and costs a flood nothing.
 */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 4 };

export class Screens {
  readonly #options: ScreensOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #open = new Map<string, { journalDir: string; end: JournalEnd }>();
  readonly #calls = new Map<number, Call>();
  readonly #closing = new Map<number, { id: string; promise: Promise<void>; resolve: () => void }>();
  #worker: Worker | undefined;
  #startedAtMs = 0;
  #cancelRestart: (() => void) | undefined;
  /** The thread waits for nothing but a calmer moment; by session: where its journal ended when it was opened. */
  #deferred: Map<string, JournalEnd> | undefined;
  #lastCall = 0;
  #isClosed = false;

  constructor(options: ScreensOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff({ ...RESTART_BACKOFF, ...(options.random ? { random: options.random } : {}) });
  }

  /**
   * Starts the thread later, or when somebody looks. Clients that come back after a reload go on by output and need no picture; the thread's start takes a
   * processor from them.
   */
  defer(delayMs: number): void {
    if (this.#worker || this.#cancelRestart) return;
    this.#deferred = new Map();
    this.#cancelRestart = this.#clock.timer(delayMs, () => this.#startDeferred());
  }

  /** `end`: what is in the journal by now. Bells and notifications in it are not told. */
  open({ id, journalDir, end }: { id: string; journalDir: string; end: JournalEnd }): void {
    this.#open.set(id, { journalDir, end });
    this.#deferred?.set(id, end);
    this.#post({ kind: "open", id, journalDir, end });
  }

  advance(id: string, end: JournalEnd): void {
    const screen = this.#open.get(id);
    if (!screen) return;
    screen.end = end;
    this.#post({ kind: "advance", id, end });
  }

  /** What makes a terminal of the session's size show what it shows, at least as new as the end that is known now. */
  screen(id: string): Promise<ScreenPicture> {
    return this.#look(id, { kind: "screen" }) as Promise<ScreenPicture>;
  }

  /** A picture for a terminal of another size. */
  render(id: string, cols: number, rows: number): Promise<ScreenPicture> {
    return this.#look(id, { kind: "render", cols, rows }) as Promise<ScreenPicture>;
  }

  text(id: string, { isStyled = false } = {}): Promise<PlacedText> {
    return this.#look(id, { kind: "text", isStyled }) as Promise<PlacedText>;
  }

  forget(id: string): void {
    if (!this.#open.delete(id) || !this.#worker || this.#isClosed) return;
    this.#lastCall += 1;
    this.#closing.set(this.#lastCall, { id, ...Promise.withResolvers<void>() });
    this.#post({ kind: "close", id, call: this.#lastCall });
  }

  /** Resolves when the last screen of a forgotten session is on disk, and nothing is written to its directory any more. */
  async forgotten(id: string): Promise<void> {
    await Promise.all([...this.#closing.values()].flatMap((closing) => (closing.id === id ? [closing.promise] : [])));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRestart?.();
    await this.#worker?.terminate();
    this.#failAll(new Error("the server is closing"));
  }

  #look(id: string, look: Look): Promise<ScreenPicture | PlacedText> {
    const screen = this.#open.get(id);
    if (!screen || this.#isClosed) return Promise.reject(new Error(`no screen of ${id}`));
    if (this.#deferred) this.#startDeferred();
    this.#lastCall += 1;
    const request = { ...look, id, call: this.#lastCall, end: screen.end } as ScreenLook;
    return new Promise((resolve, reject) => {
      this.#calls.set(request.call, { request, failureCount: 0, resolve, reject });
      this.#post(request);
      this.#worker?.ref(); // somebody waits for it
    });
  }

  #post(request: ScreenRequest): void {
    if (this.#isClosed || this.#cancelRestart) return; // a new thread is told everything
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(this.#options.script ?? screensScript(), {
      resourceLimits: THREAD_LIMITS,
    });
    this.#startedAtMs = this.#clock.monotonicMs();
    worker.on("message", (answer: ScreenAnswer) => this.#take(answer));
    worker.on("error", (error) => this.#options.log.error("screens_failed", { error: messageOf(error) }));
    worker.on("exit", () => this.#onExit(worker));
    worker.unref();
    return worker;
  }

  /** Bells that rang meanwhile are told: each screen begins where its session was opened. */
  #startDeferred(): void {
    const ends = this.#deferred;
    this.#deferred = undefined;
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    for (const [id, { journalDir, end }] of this.#open) {
      this.#post({ kind: "open", id, journalDir, end: ends?.get(id) ?? end });
      this.#post({ kind: "advance", id, end });
    }
  }

  #onExit(worker: Worker): void {
    if (this.#worker !== worker || this.#isClosed) return;
    this.#worker = undefined;
    this.#closeAll();
    for (const call of [...this.#calls.values()]) {
      call.failureCount += 1;
      if (call.failureCount >= LOOK_FAILURES_MAX) this.#settle(call, new Error("its screen could not be made"));
    }
    if (this.#clock.monotonicMs() - this.#startedAtMs >= HEALTHY_AFTER_MS) this.#backoff.reset();
    this.#cancelRestart = this.#clock.timer(this.#backoff.nextMs(), () => {
      this.#cancelRestart = undefined;
      for (const [id, { journalDir, end }] of this.#open) this.#post({ kind: "open", id, journalDir, end });
      for (const { request } of this.#calls.values()) this.#post(request);
    });
  }

  #take(answer: ScreenAnswer): void {
    switch (answer.kind) {
      case "event":
        return this.#options.onEvent(answer.id, answer.event);
      case "closed":
        this.#closing.get(answer.call)?.resolve();
        this.#closing.delete(answer.call);
        return;
      case "answer": {
        const call = this.#calls.get(answer.call);
        if (call) this.#settle(call, "error" in answer ? new Error(answer.error) : answer.data);
        return;
      }
      default:
        return unreachable(answer);
    }
  }

  #settle(call: Call, result: ScreenPicture | PlacedText | Error): void {
    this.#calls.delete(call.request.call);
    if (this.#calls.size === 0) this.#worker?.unref();
    if (result instanceof Error) call.reject(result);
    else call.resolve(result);
  }

  #failAll(error: Error): void {
    for (const call of [...this.#calls.values()]) this.#settle(call, error);
    this.#closeAll();
  }

  #closeAll(): void {
    for (const { resolve } of this.#closing.values()) resolve();
    this.#closing.clear();
  }
}

/** Where the thread's script is: in a bundle, `screens.js` beside the server's file or beside the folder of its chunks. */
function screensScript(): URL {
  const bundled = ["./screens.js", "../screens.js"].map((path) => new URL(path, import.meta.url));
  return bundled.find((url) => existsSync(fileURLToPath(url))) ?? new URL("./screens-thread.ts", import.meta.url);
}
