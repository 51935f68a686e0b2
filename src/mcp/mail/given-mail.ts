import type { OfferedMessage } from "../../protocol/mail-units.ts";

/** Given and kept, so that they can be shown again; the oldest are forgotten. */
const GIVEN_COUNT_MAX = 200;

/**
 * What this process has given to its client and the client has not acknowledged. A message that was put into an answer is `seen` when the client calls
 * again, since then it has read that answer; an answer that was waited for is `handled` then.
 */
export class GivenMail {
  readonly #given = new Map<string, { message: OfferedMessage; proves: "seen" | "handled" | "nothing" }>();

  give(messages: readonly OfferedMessage[], proves: "seen" | "handled" = "seen"): void {
    for (const message of messages) {
      this.#given.delete(message.id);
      this.#given.set(message.id, { message, proves });
    }
    while (this.#given.size > GIVEN_COUNT_MAX) this.#given.delete(this.#given.keys().next().value!);
  }

  /** The ids that a call of the client proves to be so. Each is told once. */
  takeProven(state: "seen" | "handled"): string[] {
    const proven = [...this.#given].filter(([, { proves }]) => proves === state);
    for (const [id, given] of proven) {
      if (state === "handled") this.#given.delete(id);
      else given.proves = "nothing";
    }
    return proven.map(([id]) => id);
  }

  /** Those that count as unread still, because nothing has proven yet that they were read. */
  unproven(): string[] {
    return [...this.#given].filter(([, { proves }]) => proves !== "nothing").map(([id]) => id);
  }

  get(id: string): OfferedMessage | undefined {
    return this.#given.get(id)?.message;
  }

  all(): OfferedMessage[] {
    return [...this.#given.values()].map(({ message }) => message);
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#given.delete(id);
  }

  clear(): void {
    this.#given.clear();
  }
}
