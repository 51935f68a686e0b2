import { type FirstScreen, firstScreenOf, readFirstScreen, textOfFirstScreen } from "../model/first-screen.ts";
import type { Fleet } from "../model/fleet.ts";
import type { Row } from "../model/rows.ts";

/**
 * Keeps the beginning of the list in the browser's own storage, which a page has at once, without a turn of waiting: what is seen is painted before the databases
 * are open. A browser that keeps nothing, or has no room, only paints later.
 *
 * 1. A machine that was removed is out of it at once; what has changed, within {@link GATHER_MS} or when the page goes.
 * 2. One that could not be written does not leave the former in its place.
 */
export class FirstScreenMemory {
  /** As it was when the page came; undefined: none. */
  readonly kept: FirstScreen | undefined;
  readonly #storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">;
  #written: string | null;
  #noted: Noted | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param storage a browser may refuse it when it is asked for */
  constructor(storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#storage = storage;
    this.#written = quietly(() => storage().getItem(KEY)) ?? null;
    this.kept = readFirstScreen(this.#written);
  }

  /** The list is so now. */
  note(noted: Noted): void {
    const before = this.#noted;
    this.#noted = noted;
    if (noted.rows.length === 0 || (before && noted.machines.size < before.machines.size)) this.write();
    else this.#timer ??= setTimeout(() => this.write(), GATHER_MS);
  }

  /** Now: the page may go for good. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#noted) return;
    const { rows, machines, order } = this.#noted;
    const screen = firstScreenOf(rows, { machines }, order);
    this.#put(screen ? textOfFirstScreen(screen) : null);
  }

  /** This browser is not let in any more, or has lost what it had: nothing of it stays, and nothing more is kept. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#noted = undefined;
    this.#put(null);
  }

  #put(text: string | null): void {
    if (text === this.#written) return;
    this.#written = null;
    quietly(() => this.#storage().removeItem(KEY));
    if (text === null) return;
    quietly(() => {
      this.#storage().setItem(KEY, text);
      this.#written = text;
    });
  }
}

export interface Noted extends Pick<Fleet, "machines"> {
  rows: readonly Row[];
  order: FirstScreen["order"];
}

const KEY = "warren.first-screen";
/** Longer than homes are gathered: rows that no home has would come and go. */
const GATHER_MS = 5_000;

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // storage that is switched off, or full
  }
}
