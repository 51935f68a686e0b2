import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { ScreenAt } from "../attachment.ts";
import type { JournalEnd } from "../keeper-port.ts";
import type {
  ScreenAnswer,
  ScreenEvent,
  ScreenLook,
  ScreenPicture,
  ScreenRequest,
  ScreenText,
} from "./screen-messages.ts";

/**
 * The screens of a server's sessions, made in a thread of their own, which is started with the first session. A thread that fails is started again, and
 * makes its screens anew from the journals.
 */
export interface ScreensOptions {
  log: Log;
  onEvent: (id: string, event: ScreenEvent) => void;
  /** The thread's script: in the bundle beside the server, else the source. */
  script?: URL;
}

type Call = PromiseWithResolvers<ScreenPicture | ScreenText>;
type LookKind = { kind: "screen" } | { kind: "text" } | { kind: "render"; cols: number; rows: number };

export class Screens {
  readonly #options: ScreensOptions;
  readonly #open = new Map<string, { journalDir: string; end: JournalEnd }>();
  readonly #calls = new Map<number, { look: ScreenLook; call: Call }>();
  #worker: Worker | undefined;
  #lastCall = 0;
  #isClosed = false;

  constructor(options: ScreensOptions) {
    this.#options = options;
  }

  open({ id, journalDir, end }: { id: string; journalDir: string; end: JournalEnd }): void {
    this.#open.set(id, { journalDir, end });
    this.#post({ kind: "open", id, journalDir });
    this.#post({ kind: "advance", id, end });
  }

  advance(id: string, end: JournalEnd): void {
    const screen = this.#open.get(id);
    if (!screen) return;
    screen.end = end;
    this.#post({ kind: "advance", id, end });
  }

  /** What makes a terminal of the session's size show what it shows. */
  screen(id: string): Promise<ScreenAt> {
    return this.#look(id, { kind: "screen" }) as Promise<ScreenAt>;
  }

  /** A picture for a terminal of another size. */
  render(id: string, cols: number, rows: number): Promise<ScreenAt> {
    return this.#look(id, { kind: "render", cols, rows }) as Promise<ScreenAt>;
  }

  text(id: string): Promise<ScreenText> {
    return this.#look(id, { kind: "text" }) as Promise<ScreenText>;
  }

  forget(id: string): void {
    if (this.#open.delete(id)) this.#post({ kind: "close", id });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #look(id: string, look: LookKind): Promise<ScreenPicture | ScreenText> {
    const screen = this.#open.get(id);
    if (!screen || this.#isClosed) return Promise.reject(new Error(`no screen of ${id}`));
    this.#lastCall += 1;
    const request = { ...look, id, call: this.#lastCall, end: screen.end } as ScreenLook;
    const call: Call = Promise.withResolvers();
    this.#calls.set(request.call, { look: request, call });
    this.#post(request);
    return call.promise;
  }

  #post(request: ScreenRequest): void {
    if (this.#isClosed) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(this.#options.script ?? bundledScript(), { stdout: false, stderr: false });
    worker.on("message", (answer: ScreenAnswer) => this.#take(answer));
    worker.on("error", (error) => this.#options.log.error("screens_failed", { error: messageOf(error) }));
    worker.on("exit", () => {
      if (this.#worker !== worker || this.#isClosed) return;
      this.#worker = undefined;
      for (const [id, { journalDir, end }] of this.#open) this.open({ id, journalDir, end });
      for (const { look } of this.#calls.values()) this.#post(look);
    });
    worker.unref();
    return worker;
  }

  #take(answer: ScreenAnswer): void {
    if (answer.kind === "event") return this.#options.onEvent(answer.id, answer.event);
    const asked = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if ("error" in answer) asked?.call.reject(new Error(answer.error));
    else asked?.call.resolve(answer.data);
  }
}

function bundledScript(): URL {
  const bundled = new URL("./screens.js", import.meta.url);
  if (existsSync(fileURLToPath(bundled))) return bundled;
  const beside = new URL("../screens.js", import.meta.url);
  return existsSync(fileURLToPath(beside)) ? beside : new URL("./worker.ts", import.meta.url);
}
