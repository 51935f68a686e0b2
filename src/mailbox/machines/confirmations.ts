import type { Clock } from "../../platform/clock.ts";
import { GATHER_MAX, GATHER_MS } from "./limits.ts";
import type { Post } from "./post.ts";

/** What is stored here and what is missing, told to one machine: together, and again when it is asked again. None of it is kept. */
export class Confirmations {
  readonly #machine: string;
  readonly #post: Post;
  readonly #clock: Clock;
  /** By the log whose numbers they are: a machine may have a new one. */
  readonly #stored = new Map<string, number[]>();
  readonly #wanted = new Map<string, Map<string, number>>();
  #cancel: (() => void) | undefined;

  constructor({ machine, post, clock }: { machine: string; post: Post; clock: Clock }) {
    this.#machine = machine;
    this.#post = post;
    this.#clock = clock;
  }

  stored(logId: string, n: number): void {
    const ns = this.#stored.get(logId) ?? [];
    ns.push(n);
    this.#stored.set(logId, ns);
    if (ns.length >= GATHER_MAX) this.#tell();
    else this.#plan();
  }

  want(logId: string, sender: string, after: number): void {
    const senders = this.#wanted.get(logId) ?? new Map<string, number>();
    senders.set(sender, after);
    this.#wanted.set(logId, senders);
    this.#plan();
  }

  close(): void {
    this.#cancel?.();
  }

  #plan(): void {
    this.#cancel ??= this.#clock.timer(GATHER_MS, () => this.#tell());
  }

  #tell(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const [of, ns] of this.#stored) this.#post.mention(this.#machine, { type: "stored", of, ns });
    for (const [of, senders] of this.#wanted) {
      const after = [...senders].slice(0, GATHER_MAX);
      this.#post.mention(this.#machine, { type: "want", of, after });
    }
    this.#stored.clear();
    this.#wanted.clear();
  }
}
