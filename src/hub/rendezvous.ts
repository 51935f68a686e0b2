import type { Clock } from "../platform/clock.ts";
import { type Connection, keyId } from "./connection.ts";
import { rendezvousFull, rendezvousTaken } from "./errors.ts";
import type { HubLimits } from "./limits.ts";

/**
 * Where machines wait for whoever has their pairing code. One stands for two minutes at most and for one guest: the first who meets takes it, and a machine whose
 * guest turns out to be nobody may put it up again. It goes with its machine's connection.
 */
interface Waiting {
  machine: Connection;
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
  add(machine: Connection, id: Uint8Array, expires: number): void {
    const name = keyId(id);
    const before = this.#waiting.get(name);
    // Ids are the hash of a key that only their machine has, so nobody else puts up the same one but to disturb.
    if (before !== undefined && before.machine.identity?.id !== machine.identity?.id) throw rendezvousTaken();
    this.#remove(name);
    const own = [...this.#waiting.values()].filter((one) => one.machine.identity?.id === machine.identity?.id);
    if (own.length >= this.#limits.rendezvous) throw rendezvousFull(own.length);
    // A machine whose clock is off by minutes still gets its two minutes; what its code says, its guest looks at.
    const leftMs = expires * 1_000 - this.#clock.wallMs();
    const stayMs = leftMs > 0 && leftMs < this.#limits.rendezvousMs ? leftMs : this.#limits.rendezvousMs;
    this.#waiting.set(name, { machine, cancel: this.#clock.timer(stayMs, () => this.#remove(name)) });
  }

  takeBack(machine: Connection, id: Uint8Array): void {
    const name = keyId(id);
    if (this.#waiting.get(name)?.machine.identity?.id === machine.identity?.id) this.#remove(name);
  }

  /** The machine that waits there; nobody else finds it any more. */
  meet(id: Uint8Array): Connection | undefined {
    const name = keyId(id);
    const machine = this.#waiting.get(name)?.machine;
    this.#remove(name);
    return machine;
  }

  leave(machine: Connection): void {
    for (const [name, one] of this.#waiting) if (one.machine === machine) this.#remove(name);
  }

  #remove(name: string): void {
    this.#waiting.get(name)?.cancel();
    this.#waiting.delete(name);
  }
}
