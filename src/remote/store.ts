/** What the machine's side keeps: a few small texts. The home's directory in the product (`home-store.ts`), a map in a simulation. */
export type StoredName =
  | "key"
  | "roster.json"
  | "requests.json"
  | "settings.json"
  | "mail.json"
  | `space-${string}.json`;

export interface RemoteStore {
  /** Undefined where there is none. @throws MACHINE_KEY_OPEN: others may read the key */
  read(name: StoredName): Promise<string | undefined>;
  /** Whole or not at all; on disk when it resolves. */
  write(name: StoredName, text: string): Promise<void>;
  /** Where a person finds it, for errors. */
  pathOf(name: StoredName): string;
}
