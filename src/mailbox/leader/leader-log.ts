import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Backup } from "../log/backup.ts";
import type { MailLog } from "../log/mail-log.ts";
import type { AnswerTo, Effect, Operation, Performed, PerformType, ReadType } from "../log/operations.ts";
import { SWEEP_MS, SWEEP_PAUSE_MS } from "./limits.ts";

/**
 * The log as everything in the leader's process has it: what a commit brought about is told to whoever waits, whoever has asked for it. Sweeps come when
 * something is due, and now and then besides, since wall clocks jump.
 */
export interface LeaderLogOptions {
  mailLog: MailLog;
  clock: Clock;
  log: Log;
  onEffects: (effects: readonly Effect[]) => void;
}

export class LeaderLog {
  readonly #options: LeaderLogOptions;
  #cancelSweep = (): void => {};
  /** Monotonic. */
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(options: LeaderLogOptions) {
    this.#options = options;
  }

  /** Once this process leads: sweeps from now on. */
  start(): void {
    this.#plan(0);
  }

  /** Resolves after the commit, when those who wait for it have been woken. */
  async perform<T extends PerformType>(operation: Operation<T>): Promise<Performed<T>> {
    const performed = await this.#options.mailLog.perform(operation);
    this.#planFor(performed.effects);
    if (performed.effects.length > 0) this.#options.onEffects(performed.effects);
    return performed;
  }

  read<T extends ReadType>(operation: Operation<T>): Promise<AnswerTo<T>> {
    return this.#options.mailLog.read(operation);
  }

  backup(path: string): Promise<Backup> {
    return this.#options.mailLog.backup(path);
  }

  /** Sweeps no more; the log itself stays open. */
  close(): void {
    this.#isClosed = true;
    this.#cancelSweep();
  }

  #planFor(effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind === "due") this.#plan(effect.atMs - this.#options.clock.wallMs());
  }

  #plan(inMs: number): void {
    const { clock } = this.#options;
    const delayMs = Math.min(SWEEP_MS, Math.max(SWEEP_PAUSE_MS, inMs));
    const atMs = clock.monotonicMs() + delayMs;
    if (this.#isClosed || atMs >= this.#sweepAtMs) return;
    this.#cancelSweep();
    this.#sweepAtMs = atMs;
    this.#cancelSweep = clock.timer(delayMs, () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    const { mailLog, clock, log } = this.#options;
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    try {
      const effects = await mailLog.sweep(clock.wallMs());
      this.#planFor(effects);
      this.#options.onEffects(effects);
    } catch (error) {
      // A log that is lost ends the leader by itself.
      if (!isWarrenError(error)) log.error("sweep_failed", { error: messageOf(error) });
    }
    this.#plan(SWEEP_MS);
  }
}
