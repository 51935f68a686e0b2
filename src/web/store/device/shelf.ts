/**
 * Where the app keeps what it is as a device: values under text keys, in named tables. In a browser that is IndexedDB; where it keeps nothing, and in tests, memory.
 *
 * 1. A `write` is whole or not at all, and on disk when it resolves.
 * 2. Values are copied in and out (structured clone), so that nobody changes what is kept by changing what he was given; keys of WebCrypto stay keys.
 */
export const TABLES = ["device", "hubs", "machines", "reading", "rows", "outbox", "talks"] as const;
export type Table = (typeof TABLES)[number];

export type Change =
  | { table: Table; key: string; value: unknown }
  | { table: Table; remove: string }
  /** Everything whose key begins so. */
  | { table: Table; removeUnder: string };

export interface Shelf {
  get<T>(table: Table, key: string): Promise<T | undefined>;
  /** By the order of the keys. @param under only those whose key begins so */
  all<T>(table: Table, under?: string): Promise<{ key: string; value: T }[]>;
  /** @throws STORAGE_FULL, STORAGE_FAILED */
  write(changes: readonly Change[]): Promise<void>;
}

/** As long as the page is open. */
export class MemoryShelf implements Shelf {
  readonly #tables = new Map<Table, Map<string, unknown>>(TABLES.map((table) => [table, new Map()]));

  async get<T>(table: Table, key: string): Promise<T | undefined> {
    return structuredClone(this.#tables.get(table)!.get(key)) as T | undefined;
  }

  async all<T>(table: Table, under = ""): Promise<{ key: string; value: T }[]> {
    return [...this.#tables.get(table)!]
      .filter(([key]) => key.startsWith(under))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value: structuredClone(value) as T }));
  }

  async write(changes: readonly Change[]): Promise<void> {
    const copies = changes.map((change) =>
      "value" in change ? { ...change, value: structuredClone(change.value) } : change,
    );
    for (const change of copies) {
      const table = this.#tables.get(change.table)!;
      if ("value" in change) table.set(change.key, change.value);
      else if ("remove" in change) table.delete(change.remove);
      else for (const key of [...table.keys()]) if (key.startsWith(change.removeUnder)) table.delete(key);
    }
  }
}
