import type { Clock } from "../platform/clock.ts";
import { type Connection, keyId } from "./connection.ts";
import { rendezvousFull, rendezvousTaken } from "./errors.ts";
import type { HubLimits } from "./limits.ts";

/**
 * Where machines, and devices that introduce others, wait for whoever has their pairing code. One stands for two minutes at most and for one guest: the first who
 * meets takes it, and a member whose guest turns out to be nobody may put it up again. It goes with its member's connection.
 */
interface Waiting {
  member: Connection;
  cancel: () => void;
}

export class Rendezvous {
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock, limits: HubLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Until `expires`, in seconds since 1970, or for the limit, whichever is sooner. @throws RENDEZVOUS_FULL */
  add(member: Connection, id: Uint8Array, expires: number): void {
    const name = keyId(id);
    const before = this.#waiting.get(name);
    // Ids are the hash of a key that only their member has, so nobody else puts up the same one but to disturb.
    if (before !== undefined && before.member.identity?.id !== member.identity?.id) throw rendezvousTaken();
    this.#remove(name);
    const own = [...this.#waiting.values()].filter((one) => one.member.identity?.id === member.identity?.id);
    const { rendezvous, deviceRendezvous } = this.#limits;
    const limit = member.identity?.role === "machine" ? rendezvous : deviceRendezvous;
    if (own.length >= limit) throw rendezvousFull(own.length);
    // A member whose clock is off by minutes still gets its two minutes; what its code says, its guest looks at.
    const leftMs = expires * 1_000 - this.#clock.wallMs();
    const stayMs = leftMs > 0 && leftMs < this.#limits.rendezvousMs ? leftMs : this.#limits.rendezvousMs;
    this.#waiting.set(name, { member, cancel: this.#clock.timer(stayMs, () => this.#remove(name)) });
  }

  takeBack(member: Connection, id: Uint8Array): void {
    const name = keyId(id);
    if (this.#waiting.get(name)?.member.identity?.id === member.identity?.id) this.#remove(name);
  }

  /** Who waits there; nobody else finds it any more. */
  meet(id: Uint8Array): Connection | undefined {
    const name = keyId(id);
    const member = this.#waiting.get(name)?.member;
    this.#remove(name);
    return member;
  }

  leave(member: Connection): void {
    for (const [name, one] of this.#waiting) if (one.member === member) this.#remove(name);
  }

  #remove(name: string): void {
    this.#waiting.get(name)?.cancel();
    this.#waiting.delete(name);
  }
}
