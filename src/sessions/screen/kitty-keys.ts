/**
 * The flags of kitty's keyboard protocol (sw.kovidgoyal.net/kitty/keyboard-protocol): what is set now, and what was pushed below it. Each of a terminal's
 * two screens has its own.
 */
/** Terminals keep about so many; the oldest goes. */
const DEPTH_MAX = 16;

export class KittyKeys {
  /** The last is in force; the first was there before any push. */
  #flags = [0];

  push(flags: number): void {
    this.#flags.push(flags);
    if (this.#flags.length > DEPTH_MAX) this.#flags.shift();
  }

  /** More than there are resets everything. */
  pop(count: number): void {
    this.#flags.length = Math.max(0, this.#flags.length - count);
    if (this.#flags.length === 0) this.#flags.push(0);
  }

  /** `mode` 1: these, 2: these as well, 3: not these. */
  set(flags: number, mode: number): void {
    const now = this.#flags.pop() ?? 0;
    this.#flags.push(mode === 2 ? now | flags : mode === 3 ? now & ~flags : flags);
  }

  /** Sets them in a terminal that has none. */
  toBytes(): string {
    const [first = 0, ...pushed] = this.#flags;
    return (first === 0 ? "" : `\x1b[=${first}u`) + pushed.map((flags) => `\x1b[>${flags}u`).join("");
  }
}
