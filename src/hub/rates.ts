import type { Clock } from "../platform/clock.ts";
import type { Identity } from "./connection.ts";
import type { HubLimits } from "./limits.ts";
import { Rate } from "./rate.ts";

/** One rate for all connections of a member; each guest has one of its own. */
export class Rates {
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #rates = new Map<string, { rate: Rate; users: number }>();

  constructor(clock: Clock, limits: HubLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  join({ role, id }: Identity): Rate {
    const fresh = { rate: new Rate(this.#clock, this.#limits), users: 0 };
    if (role === "guest") return fresh.rate;
    const shared = this.#rates.get(id) ?? fresh;
    shared.users += 1;
    this.#rates.set(id, shared);
    return shared.rate;
  }

  leave({ role, id }: Identity): void {
    const shared = role === "guest" ? undefined : this.#rates.get(id);
    if (shared && --shared.users === 0) this.#rates.delete(id);
  }
}
