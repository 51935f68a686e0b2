import { isSettled, type OutboxItem, type OutboxStore } from "../../../client/remote/outbox-item.ts";
import type { Link } from "../../../sealing/chain.ts";
import type { Change, Shelf } from "./shelf.ts";

/** What was asked of machines, in the order in which it was added. */
const ITEMS = "item/";
const LINKS = "link/";

interface KeptItem {
  /** Grows with each new one. */
  number: number;
  item: OutboxItem;
}

export class OutboxShelf implements OutboxStore {
  readonly #shelf: Shelf;
  readonly #numbers = new Map<string, number>();
  #lastNumber = 0;
  #loaded: Promise<unknown> | undefined;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  async items(): Promise<OutboxItem[]> {
    const kept = (await this.#shelf.all<KeptItem>("outbox", ITEMS)).map(({ value }) => value);
    kept.sort((a, b) => a.number - b.number);
    for (const { number, item } of kept) {
      this.#numbers.set(item.id, number);
      this.#lastNumber = Math.max(this.#lastNumber, number);
    }
    this.#loaded = Promise.resolve();
    return kept.map(({ item }) => item);
  }

  async put(item: OutboxItem, chain?: { id: string; link: Link }): Promise<void> {
    this.#loaded ??= this.items();
    await this.#loaded;
    let number = this.#numbers.get(item.id);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(item.id, number);
    }
    const kept: KeptItem = { number, item };
    const changes: Change[] = [{ table: "outbox", key: ITEMS + item.id, value: kept }];
    if (chain) changes.push({ table: "outbox", key: LINKS + chain.id, value: chain.link });
    await this.#shelf.write(changes);
  }

  async remove(id: string): Promise<void> {
    await this.#shelf.write([{ table: "outbox", remove: ITEMS + id }]);
    this.#numbers.delete(id);
  }

  /** What is over beyond the newest so many is forgotten. */
  async forgetOver(count: number): Promise<void> {
    const over = (await this.items()).filter(isSettled);
    const old = over.slice(0, Math.max(0, over.length - count));
    if (old.length === 0) return;
    await this.#shelf.write(old.map(({ id }): Change => ({ table: "outbox", remove: ITEMS + id })));
    for (const { id } of old) this.#numbers.delete(id);
  }

  link(chain: string): Promise<Link | undefined> {
    return this.#shelf.get<Link>("outbox", LINKS + chain);
  }
}
