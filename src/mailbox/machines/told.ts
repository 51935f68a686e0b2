import type { Clock } from "../../platform/clock.ts";
import type { AwayReceipt } from "../log/machine-calls.ts";
import { GATHER_MAX, GATHER_MS, RESEND_MS, RESEND_MS_MAX } from "./limits.ts";
import type { MachineLog } from "./machine-log.ts";
import type { Post } from "./post.ts";

/**
 * What became of one machine's copies here, told to it until it has noted it. The log says what is due; here is only which of it may be new, and what was told and
 * not noted yet.
 */
export interface ToldOptions {
  machine: string;
  log: MachineLog;
  post: Post;
  clock: Clock;
}

export class Told {
  readonly #options: ToldOptions;
  /** Of the machine's log now; undefined as long as it has not been heard of. */
  #logId: string | undefined;
  #changed = new Set<number>();
  readonly #unnoted = new Set<number>();
  #isWholeDue = false;
  #isTelling = false;
  #isClosed = false;
  #isConnected = false;
  #isHere = false;
  #resendMs = RESEND_MS;
  #cancelGather: (() => void) | undefined;
  #cancelResend = (): void => {};

  constructor(options: ToldOptions) {
    this.#options = options;
  }

  get logId(): string | undefined {
    return this.#logId;
  }

  set logId(logId: string | undefined) {
    if (this.#logId === logId) return;
    this.#logId = logId;
    this.#tellAll();
  }

  connected(): void {
    this.#isConnected = true;
    this.#tellAll();
  }

  disconnected(): void {
    this.#isConnected = false;
  }

  /** Another leader is there: what the one before had in its hands is gone. */
  restarted(): void {
    if (this.#unnoted.size > 0) this.#tellAll();
  }

  here(isHere: boolean): void {
    if (isHere && !this.#isHere) this.#resendMs = RESEND_MS;
    this.#isHere = isHere;
    this.#planResend();
  }

  /** A receipt of a message with this number in our log has changed. */
  changed(seq: number): void {
    this.#changed.add(seq);
    this.#gather();
  }

  async noted(receipts: readonly Pick<AwayReceipt, "n" | "state">[]): Promise<void> {
    if (this.#logId === undefined) return;
    const { log, machine } = this.#options;
    for (const { n } of receipts) this.#unnoted.delete(n);
    this.#resendMs = RESEND_MS;
    this.#planResend();
    await log.perform("log.receipts_noted", { machine, log_id: this.#logId, receipts: [...receipts] });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelGather?.();
    this.#cancelResend();
  }

  #tellAll(): void {
    this.#isWholeDue = true;
    this.#gather();
  }

  #gather(): void {
    if (this.#isClosed || !this.#isConnected || this.#logId === undefined) return;
    this.#cancelGather ??= this.#options.clock.timer(GATHER_MS, () => {
      this.#cancelGather = undefined;
      if (!this.#isTelling) void this.#tell();
    });
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    let hasFailed = false;
    try {
      if (this.#isWholeDue) await this.#tellWhole();
      while (this.#changed.size > 0 && this.#isConnected && !this.#isClosed) {
        const seqs = [...this.#changed].slice(0, GATHER_MAX);
        for (const seq of seqs) this.#changed.delete(seq);
        await this.#say(await this.#due({ seqs }));
      }
    } catch {
      hasFailed = true;
      this.#isWholeDue = true; // what was not told is due still
    } finally {
      this.#isTelling = false;
      if (!hasFailed && (this.#isWholeDue || this.#changed.size > 0)) this.#gather(); // it came while the rest was told
      this.#planResend();
    }
  }

  async #tellWhole(): Promise<void> {
    this.#isWholeDue = false;
    this.#changed = new Set();
    let after = 0;
    for (;;) {
      const receipts = await this.#due({ after });
      await this.#say(receipts);
      if (receipts.length === 0 || this.#isClosed) return;
      after = receipts.at(-1)!.n;
    }
  }

  async #due(asked: { seqs?: number[]; after?: number }): Promise<AwayReceipt[]> {
    const { log, machine } = this.#options;
    const payload = { machine, log_id: this.#logId!, limit: GATHER_MAX, ...asked };
    return (await log.read("log.receipts_due", payload)).receipts;
  }

  /** One message may have gone to many names there: more receipts than one packet holds go in several. */
  async #say(receipts: AwayReceipt[]): Promise<void> {
    const { post, machine } = this.#options;
    for (const { n } of receipts) this.#unnoted.add(n);
    for (let at = 0; at < receipts.length; at += GATHER_MAX)
      await post.say(machine, { type: "receipts", of: this.#logId!, receipts: receipts.slice(at, at + GATHER_MAX) });
  }

  /** As long as something is not noted, and the machine is there to note it. */
  #planResend(): void {
    this.#cancelResend();
    const isNeeded = this.#unnoted.size > 0 || this.#isWholeDue;
    if (this.#isClosed || !this.#isConnected || !this.#isHere || !isNeeded) return;
    this.#cancelResend = this.#options.clock.timer(this.#resendMs, () => {
      this.#resendMs = Math.min(RESEND_MS_MAX, this.#resendMs * 2);
      this.#unnoted.clear();
      this.#tellAll();
    });
  }
}
