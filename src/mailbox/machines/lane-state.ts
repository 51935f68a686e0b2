import {
  HOLD_MS,
  HOLD_MS_MAX,
  IN_FLIGHT_BYTES_MAX,
  IN_FLIGHT_MAX,
  REPUBLISH_MS,
  REPUBLISH_MS_MAX,
  RESEND_MS,
  RESEND_MS_MAX,
  WANT_GRAIN_MS,
} from "./limits.ts";

/**
 * Which copies of the outbox for one machine are on their way, and when they go again. Pure: facts come in with the time, and `due` says what to publish.
 *
 * 1. A copy leaves only when it is stored there, refused there, or over here.
 * 2. What is published again goes in the order of numbers.
 * 3. While the machine is away, or the transport is, nothing is due.
 * 4. A sender that has to wait holds up nobody else.
 */
export interface Flying {
  n: number;
  sender: string;
  bytes: number;
  /** How often it was published. */
  attempt: number;
  state: "publishing" | "published" | "due";
  /** Monotonic; of the last publishing. */
  atMs: number;
  /** Something behind one that is missing has come: again, when that is not just under way. */
  isWanted: boolean;
}

interface Waiting {
  untilMs: number;
  stepMs: number;
}

export class LaneState {
  readonly #flying = new Map<number, Flying>();
  readonly #held = new Map<string, Waiting>();
  #isHere = false;
  #isConnected = false;
  /** The last sign of life, or of a change for the better. */
  #progressMs = 0;
  #resendMs = RESEND_MS;
  #failed: Waiting | undefined;

  get count(): number {
    return this.#flying.size;
  }

  has(n: number): boolean {
    return this.#flying.has(n);
  }

  /** More may be taken from the log, and how many. */
  room(nowMs: number): number {
    let count = 0;
    let bytes = 0;
    for (const one of this.#flying.values()) {
      if (this.#held.has(one.sender)) continue;
      count += 1;
      bytes += one.bytes;
    }
    if (!this.#isConnected || this.#hasFailed(nowMs) || bytes >= IN_FLIGHT_BYTES_MAX) return 0;
    return Math.max(0, IN_FLIGHT_MAX - count);
  }

  connected(nowMs: number, { isFresh }: { isFresh: boolean }): void {
    this.#isConnected = true;
    this.#failed = undefined;
    this.#restart(nowMs);
    for (const one of this.#flying.values()) if (isFresh || one.state === "publishing") one.state = "due";
  }

  disconnected(): void {
    this.#isConnected = false;
  }

  here(isHere: boolean, nowMs: number): void {
    if (isHere && !this.#isHere) this.#restart(nowMs);
    this.#isHere = isHere;
  }

  /** Another leader is there: what the one before had in its hands is gone. */
  restarted(nowMs: number): void {
    this.#restart(nowMs);
    for (const one of this.#flying.values()) if (one.state === "published") one.state = "due";
  }

  publishing(one: { n: number; sender: string; bytes: number }, nowMs: number): Flying {
    const flying = this.#flying.get(one.n) ?? {
      ...one,
      attempt: -1,
      state: "publishing",
      atMs: nowMs,
      isWanted: false,
    };
    flying.attempt += 1;
    flying.state = "publishing";
    flying.isWanted = false;
    flying.atMs = nowMs;
    this.#flying.set(one.n, flying);
    return flying;
  }

  published(flying: Flying, attempt: number): void {
    this.#failed = undefined;
    if (flying.attempt === attempt && flying.state === "publishing") flying.state = "published";
  }

  /** Not known to be kept. The same attempt again, so that it is not kept twice. */
  notPublished(flying: Flying, attempt: number, nowMs: number): void {
    if (flying.attempt !== attempt || flying.state !== "publishing") return;
    flying.state = "due";
    flying.attempt -= 1;
    if (this.#failed && this.#failed.untilMs > nowMs) return;
    const stepMs = Math.min(REPUBLISH_MS_MAX, (this.#failed?.stepMs ?? REPUBLISH_MS / 2) * 2);
    this.#failed = { stepMs, untilMs: nowMs + stepMs };
  }

  /** In the other log, or never to be. */
  over(ns: readonly number[], nowMs: number): void {
    for (const n of ns) {
      const one = this.#flying.get(n);
      if (!one) continue;
      this.#flying.delete(n);
      this.#held.delete(one.sender);
    }
    this.#restart(nowMs);
  }

  /** Something behind `after` came before it. */
  wanted(sender: string, after: number): void {
    if (this.#held.has(sender)) return;
    for (const one of this.#flying.values()) if (one.sender === sender && one.n > after) one.isWanted = true;
  }

  held(n: number, nowMs: number): void {
    const one = this.#flying.get(n);
    if (!one) return;
    const before = this.#held.get(one.sender);
    if (before && before.untilMs > nowMs) return;
    const stepMs = Math.min(HOLD_MS_MAX, (before?.stepMs ?? HOLD_MS / 2) * 2);
    this.#held.set(one.sender, { stepMs, untilMs: nowMs + stepMs });
  }

  /** Numbers to publish again, in their order; what was sent and not confirmed in time is among them. */
  due(nowMs: number): number[] {
    if (!this.#isConnected || this.#hasFailed(nowMs)) return [];
    this.#lookAtSilence(nowMs);
    const due: number[] = [];
    for (const one of this.#flying.values()) {
      const held = this.#held.get(one.sender);
      if (held && held.untilMs > nowMs) continue;
      if (held && one.state === "published" && held.untilMs > one.atMs) one.state = "due"; // its wait is over
      if (one.isWanted && one.state === "published" && nowMs - one.atMs >= WANT_GRAIN_MS) one.state = "due";
      if (one.state === "due") due.push(one.n);
    }
    return due.sort((a, b) => a - b);
  }

  /** When to look again; undefined: nothing happens by itself. */
  nextMs(nowMs: number): number | undefined {
    if (!this.#isConnected) return undefined;
    const waits = [...this.#held.values(), ...(this.#failed ? [this.#failed] : [])];
    const moments = waits.map(({ untilMs }) => untilMs).filter((untilMs) => untilMs > nowMs);
    for (const one of this.#flying.values())
      if (one.isWanted) moments.push(Math.max(nowMs + 1, one.atMs + WANT_GRAIN_MS));
    if (this.#isHere && this.#flying.size > 0) moments.push(Math.max(nowMs + 1, this.#progressMs + this.#resendMs));
    const next = Math.min(...moments);
    return Number.isFinite(next) ? next : undefined;
  }

  #lookAtSilence(nowMs: number): void {
    if (!this.#isHere || nowMs - this.#progressMs < this.#resendMs) return;
    this.#progressMs = nowMs;
    this.#resendMs = Math.min(RESEND_MS_MAX, this.#resendMs * 2);
    for (const one of this.#flying.values()) {
      const held = this.#held.get(one.sender);
      if (one.state === "published" && !(held && held.untilMs > nowMs)) one.state = "due";
    }
  }

  #hasFailed(nowMs: number): boolean {
    return this.#failed !== undefined && this.#failed.untilMs > nowMs;
  }

  #restart(nowMs: number): void {
    this.#progressMs = nowMs;
    this.#resendMs = RESEND_MS;
  }
}
