import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../platform/log.ts";
import { MailLog } from "./mail-log.ts";
import type { By, Leader, Operation, PayloadFor, Performed, PerformType, ReadType } from "./operations.ts";
import { Presences } from "./presences.ts";
import { type Outcome, type Step, Writer, type WriterOptions } from "./writer.ts";

/** Logs of their own for tests. */

export const leader = (pid = process.pid): Leader => ({
  pid,
  pidStart: "1",
  bootId: "boot",
  gitHash: "abc1234",
  version: "1.0.0",
  socket: "/tmp/mail.sock",
  isDedicated: false,
});

export interface TemporaryDirectory extends Disposable {
  path: string;
  log: string;
}

export function temporaryDirectory(parent: string = tmpdir()): TemporaryDirectory {
  const path = realpathSync(mkdtempSync(join(parent, "warren-mail-")));
  return { path, log: join(path, "log.db"), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A leading log with its threads; goes with its directory. */
export class TestLog implements AsyncDisposable {
  readonly mailLog: MailLog;
  readonly directory: TemporaryDirectory;
  readonly epoch: number;
  nowMs = Date.UTC(2026, 10, 21);
  readonly #ownsDirectory: boolean;

  private constructor(mailLog: MailLog, directory: TemporaryDirectory, epoch: number, ownsDirectory: boolean) {
    this.mailLog = mailLog;
    this.directory = directory;
    this.epoch = epoch;
    this.#ownsDirectory = ownsDirectory;
  }

  /** `directory`: of a log that is there already; the caller's then. */
  static async open(directory?: TemporaryDirectory): Promise<TestLog> {
    const place = directory ?? temporaryDirectory();
    const mailLog = await MailLog.open({ path: place.log, log: silentLog });
    return new TestLog(mailLog, place, await mailLog.takeLead(leader()), directory === undefined);
  }

  perform<T extends PerformType>(
    name: string | By,
    type: T,
    payload: PayloadFor<T>,
    requestId?: string,
  ): Promise<Performed<T>> {
    return this.mailLog.perform({ type, payload, by: by(name), requestId, nowMs: this.nowMs } as Operation<T>);
  }

  async ask<T extends PerformType>(name: string | By, type: T, payload: PayloadFor<T>, requestId?: string) {
    return (await this.perform(name, type, payload, requestId)).answer;
  }

  read<T extends ReadType>(name: string | By, type: T, payload: PayloadFor<T>) {
    return this.mailLog.read({ type, payload, by: by(name), nowMs: this.nowMs } as Operation<T>);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mailLog.close();
    if (this.#ownsDirectory) this.directory[Symbol.dispose]();
  }
}

/** A name's own client. */
export const by = (name: string | By): By => (typeof name === "string" ? { name, client: `client of ${name}` } : name);

/** The writer alone, in this thread. `alive`: pids that live. */
export class TestWriter implements Disposable {
  readonly writer: Writer;
  readonly directory = temporaryDirectory();
  readonly alive = new Set<number>();
  nowMs = Date.UTC(2026, 10, 21);

  constructor(options: Partial<WriterOptions> = {}) {
    const presences = new Presences(({ pid }) => this.alive.has(pid));
    this.writer = new Writer({ path: this.directory.log, presences, ...options });
    this.writer.takeLead(leader(), this.nowMs);
  }

  /** The answer; throws what it was refused with, as the code of an Error. */
  ask<T extends PerformType>(
    name: string | By,
    type: T,
    payload: PayloadFor<T>,
    requestId?: string,
  ): Performed<T>["answer"] {
    return this.perform(name, type, payload, requestId).answer;
  }

  perform<T extends PerformType>(name: string | By, type: T, payload: PayloadFor<T>, requestId?: string): Performed<T> {
    const step = { type, payload, by: by(name), requestId, nowMs: this.nowMs } as Step;
    const outcome = this.writer.perform([step])[0] as Outcome;
    if ("error" in outcome) throw Object.assign(new Error(outcome.error.error), outcome.error);
    return outcome as unknown as Performed<T>;
  }

  sweep() {
    const outcome = this.writer.perform([{ type: "log.sweep", nowMs: this.nowMs }])[0] as Outcome;
    if ("error" in outcome) throw new Error(outcome.error.error);
    return outcome.effects;
  }

  [Symbol.dispose](): void {
    this.writer.close();
    this.directory[Symbol.dispose]();
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
