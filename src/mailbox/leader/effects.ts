import type { Effect } from "../log/operations.ts";
import type { MailEvents } from "./mail-events.ts";
import { mailFor, receiptsOf, type Waits } from "./waits.ts";

/** What commits brought about, for those who wait and those who look on. */
export class Effects {
  readonly #waits: Waits;
  readonly #events: MailEvents;

  constructor(waits: Waits, events: MailEvents) {
    this.#waits = waits;
    this.#events = events;
  }

  take(effects: readonly Effect[]): void {
    for (const effect of effects) this.#take(effect);
  }

  #take(effect: Effect): void {
    switch (effect.kind) {
      case "sent":
        return this.#events.tell("message_sent", { ...effect.message });
      case "queued": {
        const { to, from, id, seq } = effect;
        this.#waits.wake(mailFor(to));
        return this.#events.tellOne(to, "message_queued", { id, from, to, seq });
      }
      case "receipt": {
        const { from, to, id, seq, state } = effect;
        this.#waits.wake(receiptsOf(id));
        return this.#events.tellOne(from, "receipt_changed", { id, to, seq, state });
      }
      case "participant":
        return this.#events.tell("participant_changed", { name: effect.name });
      case "due":
        return; // a sweep's matter
    }
  }
}
