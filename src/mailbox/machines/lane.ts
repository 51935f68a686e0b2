import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { AwayCopy, Outgoing } from "../log/machine-calls.ts";
import { messageBytes } from "../log/message-rows.ts";
import { LaneState } from "./lane-state.ts";
import { GATHER_MAX } from "./limits.ts";
import type { MachineLog } from "./machine-log.ts";
import type { Post } from "./post.ts";

/** The copies for one machine: from the outbox in the log to the transport, until the other machine has them. What is held here is numbers; bodies stay in the log. */
export interface LaneOptions {
  machine: string;
  /** Of this leader: what an earlier one published for the first time is recognised, and what it published again is not. */
  epoch: number;
  log: MachineLog;
  post: Post;
  clock: Clock;
  ownLog: Log;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #state = new LaneState();
  /** Of the log, up to here. */
  #loadedTo = 0;
  #hasMore = true;
  #isPumping = false;
  /** Something has changed since the pump that is under way began. */
  #isPumpDue = false;
  #isClosed = false;
  #kept: number[] = [];
  #isTellingKept = false;
  #cancelTimer = (): void => {};
  /** Why its copies do not go, as the other machine said last. */
  problem: string | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  connected(isFresh: boolean): void {
    this.#state.connected(this.#nowMs(), { isFresh });
    this.#pump();
  }

  disconnected(): void {
    this.#state.disconnected();
    this.#cancelTimer();
  }

  here(isHere: boolean): void {
    this.#state.here(isHere, this.#nowMs());
    this.#pump();
  }

  /** Another leader is there. */
  restarted(): void {
    this.#state.restarted(this.#nowMs());
    this.#pump();
  }

  /** There is something new in the outbox. */
  more(): void {
    this.#hasMore = true;
    this.#pump();
  }

  async stored(ns: number[]): Promise<void> {
    this.problem = undefined;
    await this.#over(ns);
  }

  async refused(n: number, reason: string): Promise<void> {
    const { log, machine } = this.#options;
    await log.perform("log.outbox_refused", { machine, n, reason: `${machine} refused it: ${reason}` });
    this.#state.over([n], this.#nowMs());
    this.#pump();
  }

  held(n: number, reason: string): void {
    this.problem = reason;
    this.#state.held(n, this.#nowMs());
    this.#pump();
  }

  wanted(after: readonly (readonly [string, number])[]): void {
    for (const [sender, n] of after) this.#state.wanted(sender, n);
    this.#pump();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  async #over(ns: number[]): Promise<void> {
    const { log, machine } = this.#options;
    await log.perform("log.outbox_over", { machine, ns });
    this.#state.over(ns, this.#nowMs());
    this.#pump();
  }

  #pump(): void {
    this.#isPumpDue = true;
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#isPumpDue = false;
    this.#publishAll()
      .catch((error) => {
        if (!isWarrenError(error)) this.#options.ownLog.error("machines_lane_failed", { error: messageOf(error) });
      })
      .finally(() => {
        this.#isPumping = false;
        if (this.#isPumpDue) this.#pump();
        else this.#plan();
      });
  }

  async #publishAll(): Promise<void> {
    const { log, machine } = this.#options;
    while (!this.#isClosed) {
      const again = this.#state.due(this.#nowMs()).slice(0, GATHER_MAX);
      if (again.length > 0) {
        const { outgoing } = await log.read("log.outbox", { machine, ns: again, limit: again.length });
        const found = new Set(outgoing.map(({ n }) => n));
        await this.#publish(outgoing);
        const gone = again.filter((n) => !found.has(n) && n <= (outgoing.at(-1)?.n ?? Number.POSITIVE_INFINITY));
        this.#state.over(gone, this.#nowMs());
        continue;
      }
      const limit = this.#hasMore ? this.#state.room(this.#nowMs()) : 0;
      if (limit === 0) return;
      this.#hasMore = false;
      const page = await log.read("log.outbox", { machine, after: this.#loadedTo, limit });
      this.#hasMore ||= page.has_more;
      this.#loadedTo = page.outgoing.at(-1)?.n ?? this.#loadedTo;
      await this.#publish(page.outgoing);
    }
  }

  /** In order, without waiting for each. */
  async #publish(outgoing: readonly Outgoing[]): Promise<void> {
    const ended = outgoing.filter(({ copy }) => copy === undefined).map(({ n }) => n);
    for (const { copy } of outgoing) if (copy) this.#send(copy);
    if (ended.length > 0) await this.#over(ended);
  }

  #send(copy: AwayCopy): void {
    const { machine, post, epoch } = this.#options;
    const bytes = messageBytes(copy);
    const flying = this.#state.publishing({ n: copy.n, sender: copy.from, bytes }, this.#nowMs());
    const { attempt } = flying;
    const id = attempt === 0 ? `${copy.n}` : `${copy.n}.${epoch}.${attempt}`;
    post.say(machine, { type: "mail", copy }, id).then(
      () => {
        if (this.#isClosed) return;
        this.#state.published(flying, attempt);
        if (attempt === 0) this.#tellKept(copy.n);
      },
      () => {
        if (this.#isClosed) return;
        this.#state.notPublished(flying, attempt, this.#nowMs());
        this.#plan();
      },
    );
  }

  /** Those that are kept while one transaction is under way are told by the next one. */
  #tellKept(n: number): void {
    this.#kept.push(n);
    if (this.#isTellingKept) return;
    this.#isTellingKept = true;
    const tell = async (): Promise<void> => {
      while (this.#kept.length > 0) await this.#options.log.perform("log.outbox_kept", { ns: this.#kept.splice(0) });
    };
    void tell()
      .catch(() => undefined) // the log is lost, and with it this leader
      .finally(() => {
        this.#isTellingKept = false;
      });
  }

  #plan(): void {
    this.#cancelTimer();
    if (this.#isClosed) return;
    const nowMs = this.#nowMs();
    const nextMs = this.#state.nextMs(nowMs);
    if (nextMs !== undefined) this.#cancelTimer = this.#options.clock.timer(nextMs - nowMs, () => this.#pump());
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
