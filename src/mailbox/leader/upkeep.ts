import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Participant, Presence } from "../../protocol/mail-units.ts";
import type { PayloadFor, PerformType } from "../log/operations.ts";
import type { LeaderLog } from "./leader-log.ts";
import { LOOK_MS } from "./limits.ts";
import type { LockWatch } from "./lock-watch.ts";
import type { Peer } from "./peer.ts";
import { PresenceWatch } from "./presence-watch.ts";
import type { Roll } from "./roll.ts";

/**
 * What a leader does of its own accord. Every two seconds: does it still have the lock and the epoch, who has come or gone, does anybody need it? And when a client
 * is gone for good, what it had in hand is offered to others.
 */
export interface UpkeepOptions {
  leaderLog: LeaderLog;
  lock: LockWatch;
  roll: Roll;
  clock: Clock;
  log: Log;
  /** Somebody hears what `onPresence` tells. */
  isWatched: () => boolean;
  onPresence: (change: { name: string; presence: Presence }) => void;
  /** Nobody is connected, and nothing is in hand. */
  isIdle: () => boolean;
  idleMs: number;
  onIdle: () => void;
}

/** A client that comes back within this time keeps what it has in hand. */
const RELEASE_AFTER_MS = 500;

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #presence = new PresenceWatch();
  #idleSinceMs: number | undefined;
  #cancelLook = (): void => {};
  #isClosed = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#isClosed) this.#cancelLook = this.#options.clock.timer(LOOK_MS, () => void this.#look());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
  }

  /** A connection has ended. */
  left(peer: Peer): void {
    if (!peer.hasFetched || this.#isClosed) return;
    this.#options.clock.timer(RELEASE_AFTER_MS, () => void this.#releaseIfGone(peer));
  }

  async #look(): Promise<void> {
    const { lock, log, clock, isIdle, idleMs, onIdle } = this.#options;
    try {
      lock.check();
    } catch (error) {
      log.error("lock_not_looked_at", { error: messageOf(error) });
    }
    await this.#ask("mail.ping", {});
    await this.#tellPresence();
    if (this.#isClosed) return;
    const nowMs = clock.monotonicMs();
    this.#idleSinceMs = isIdle() ? (this.#idleSinceMs ?? nowMs) : undefined;
    if (this.#idleSinceMs !== undefined && nowMs - this.#idleSinceMs >= idleMs) onIdle();
    this.start(); // also then: it may be handing over, and stay after all
  }

  /** What a client has in hand whose process is over is offered to others at once. */
  async #releaseIfGone(peer: Peer): Promise<void> {
    const { clientId } = peer;
    if (this.#isClosed || clientId === undefined || this.#options.roll.has(clientId) || !peer.isOver()) return;
    await this.#ask("log.release", { client: clientId });
  }

  async #tellPresence(): Promise<void> {
    const { isWatched, roll, onPresence } = this.#options;
    if (!isWatched()) return this.#presence.forget();
    for (const change of this.#presence.changed(roll.withPresence(await this.#participants()))) onPresence(change);
  }

  async #participants(): Promise<Participant[]> {
    const { leaderLog, clock } = this.#options;
    const operation = { type: "mail.list", payload: {}, by: OURSELVES, nowMs: clock.wallMs() } as const;
    return await leaderLog.read<"mail.list">(operation).then(
      ({ participants }) => participants,
      () => [],
    );
  }

  /** A log that is lost ends the leader by itself. */
  async #ask<T extends PerformType>(type: T, payload: PayloadFor<T>): Promise<void> {
    const { leaderLog, clock, log } = this.#options;
    try {
      await leaderLog.perform<T>({ type, payload, by: OURSELVES, nowMs: clock.wallMs() });
    } catch (error) {
      if (!isWarrenError(error)) log.error("upkeep_failed", { type, error: messageOf(error) });
    }
  }
}

const OURSELVES = { client: "leader" };
