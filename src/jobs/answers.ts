import type { Clock } from "../platform/clock.ts";
import type { Ledger } from "./ledger.ts";
import type { JobStore, Receipt } from "./store.ts";

/** Keeps answers for repeats of their requests. Without a receipt there can be none. */
export class Answers {
  readonly #options: { store: JobStore; ledger: Ledger; clock: Clock };

  constructor(options: { store: JobStore; ledger: Ledger; clock: Clock }) {
    this.#options = options;
  }

  /** In the transaction of the effect. */
  keep<T extends Record<string, unknown>>(receipt: Receipt | undefined, answer: T): T {
    const { store, clock } = this.#options;
    if (receipt) store.answer(receipt, clock.wallMs(), answer);
    return answer;
  }

  /** The answer to what is done already: where it cannot be stored, a repeat does what is done once more, which changes nothing. */
  keepAfter<T extends Record<string, unknown>>(receipt: Receipt | undefined, answer: T): T {
    if (receipt) this.#options.ledger.tryCommit(() => this.keep(receipt, answer));
    return answer;
  }
}
