import { isWarrenError } from "../../../protocol/errors.ts";
import type { Change, Shelf, Table } from "./shelf.ts";

/** Says what becomes of writes, for the person: that this browser is a device from now on, that there is no room, that there is again. */
export interface ShelfEvents {
  onJoined(): void;
  onFull(text: string): void;
  onRoom(): void;
}

export class WatchedShelf implements Shelf {
  readonly #shelf: Shelf;
  readonly #events: ShelfEvents;
  #isFull = false;

  constructor(shelf: Shelf, events: ShelfEvents) {
    this.#shelf = shelf;
    this.#events = events;
  }

  get<T>(table: Table, key: string): Promise<T | undefined> {
    return this.#shelf.get(table, key);
  }

  all<T>(table: Table, under?: string): Promise<{ key: string; value: T }[]> {
    return this.#shelf.all(table, under);
  }

  async write(changes: readonly Change[]): Promise<void> {
    try {
      await this.#shelf.write(changes);
    } catch (error) {
      if (isWarrenError(error, "STORAGE_FULL")) {
        this.#isFull = true;
        this.#events.onFull(error.message);
      }
      throw error;
    }
    if (this.#isFull) {
      this.#isFull = false;
      this.#events.onRoom();
    }
    if (changes.some((change) => change.table === "device")) this.#events.onJoined();
  }
}
