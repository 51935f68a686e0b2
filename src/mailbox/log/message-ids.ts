/**
 * Ids of messages that their senders gave none: nine letters, short since people type them. Each is greater than the one before, so that the messages of one
 * transaction are neighbours in the index of ids, and not on a page each. Those of a leader that wrote before may come again when the clock was set back.
 */

/** Crockford's base 32, in the order in which SQLite compares: nothing looks like something else. */
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 9;
const SINCE_MS = Date.UTC(2026, 0, 1);
/** 2^45 of them are 34 years. */
const STEPS_A_SECOND = 32_768;

export class MessageIds {
  #last = -1;

  next(nowMs: number): string {
    const step = Math.floor(((nowMs - SINCE_MS) / 1_000) * STEPS_A_SECOND);
    this.#last = Math.max(step, this.#last + 1);
    let id = "";
    for (let rest = this.#last; id.length < LENGTH; rest = Math.floor(rest / 32)) id = LETTERS[rest % 32] + id;
    return id;
  }
}
