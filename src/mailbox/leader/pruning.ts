import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { LeaderLog } from "./leader-log.ts";

/**
 * Removes what is over and older than the home keeps (`WARREN_MAIL_KEEP`), a little at a time with pauses between, so that senders do not notice. Without that it
 * does nothing: what a mailbox forgets by itself, somebody will look for.
 */
export interface PruningOptions {
  leaderLog: LeaderLog;
  clock: Clock;
  log: Log;
  /** Undefined: everything is kept. */
  keepMs: number | undefined;
}

/** After it leads, and from the end of one pass to the next. */
const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;
/** Between two transactions of a pass. */
const PAUSE_MS = 100;

export class Pruning {
  readonly #options: PruningOptions;
  #cancel = (): void => {};
  #isClosed = false;
  #removed = { messages: 0, bytes: 0 };

  constructor(options: PruningOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.keepMs !== undefined) this.#plan(FIRST_MS, 0);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #plan(inMs: number, after: number): void {
    if (!this.#isClosed) this.#cancel = this.#options.clock.timer(inMs, () => void this.#step(after));
  }

  async #step(after: number): Promise<void> {
    const { leaderLog, clock, log, keepMs } = this.#options;
    try {
      const payload = { older_than_ms: keepMs!, after };
      const operation = { type: "mail.prune", payload, by: { client: "leader" }, nowMs: clock.wallMs() } as const;
      const { messages, bytes, next } = (await leaderLog.perform<"mail.prune">(operation)).answer;
      this.#removed.messages += messages;
      this.#removed.bytes += bytes;
      if (next !== undefined) return this.#plan(PAUSE_MS, next);
      if (this.#removed.messages > 0) log.info("mail_pruned", this.#removed);
    } catch (error) {
      // A log that is lost ends the leader by itself.
      if (!isWarrenError(error)) log.error("prune_failed", { error: messageOf(error) });
    }
    this.#removed = { messages: 0, bytes: 0 };
    this.#plan(EVERY_MS, 0);
  }
}
