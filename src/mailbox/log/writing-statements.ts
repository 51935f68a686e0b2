import type { StatementSync } from "node:sqlite";
import { type RememberedTable, Statements, type Totals } from "./statements.ts";

/**
 * The statements of the one connection that writes. A message touches the same few rows again and again: whose name it is, where its mail goes, how much of it is
 * unread. As long as nobody else writes (the epoch is compared in each transaction), those are remembered, and what is only counted is written once for a
 * transaction.
 *
 * 1. `flush` comes before each commit: the log has every count that was answered by.
 * 2. A statement that names a table finds the counts of that table written, and one that changes it makes what was remembered of it forgotten; so nobody
 *    who uses SQL has to know of this.
 * 3. `forget` comes after each rollback.
 */
const REMEMBERED_TABLES: readonly RememberedTable[] = ["participants", "forwards", "members", "grants"];
/** Rows of one table; with more, all of them are forgotten. */
const REMEMBERED_MAX = 4_096;

interface Use {
  tables: readonly RememberedTable[];
  usesTotals: boolean;
  isWrite: boolean;
}

export class WritingStatements extends Statements {
  readonly #uses = new Map<string, Use>();
  readonly #remembered = new Map(REMEMBERED_TABLES.map((table) => [table, new Map<string, unknown>()]));
  readonly #unread = new Map<string, number>();
  #totals: Totals | undefined;
  #writeCount = 0;

  /** Grows with everything that has to be undone when what is being done is refused. */
  get writeCount(): number {
    return this.#writeCount;
  }

  override remembered<T>(table: RememberedTable, key: string, look: () => T): T {
    const rows = this.#remembered.get(table)!;
    const known = rows.get(key);
    if (known !== undefined || rows.has(key)) return known as T;
    const found = look();
    if (rows.size >= REMEMBERED_MAX) rows.clear();
    rows.set(key, found);
    return found;
  }

  override addUnread(name: string, count: number): void {
    this.#writeCount += 1;
    this.#unread.set(name, (this.#unread.get(name) ?? 0) + count);
    const row = this.#remembered.get("participants")?.get(name) as { unread: number } | undefined;
    if (row) row.unread += count;
  }

  override addTotals({ messages = 0, unread = 0, dead = 0 }: Partial<Totals>): void {
    this.#writeCount += 1;
    this.#totals ??= { messages: 0, unread: 0, dead: 0 };
    this.#totals.messages += messages;
    this.#totals.unread += unread;
    this.#totals.dead += dead;
  }

  /** Writes what was only counted. */
  flush(): void {
    this.#writeUnread();
    this.#writeTotals();
  }

  /** What was remembered may not be so. */
  forget(): void {
    for (const rows of this.#remembered.values()) rows.clear();
    this.#unread.clear();
    this.#totals = undefined;
  }

  protected override prepared(sql: string): StatementSync {
    const { tables, usesTotals, isWrite } = this.#useOf(sql);
    if (usesTotals) this.#writeTotals();
    for (const table of tables) {
      if (table === "participants") this.#writeUnread();
      if (isWrite) this.#remembered.get(table)?.clear();
    }
    if (isWrite) this.#writeCount += 1;
    return super.prepared(sql);
  }

  #useOf(sql: string): Use {
    let use = this.#uses.get(sql);
    if (!use) {
      use = {
        tables: REMEMBERED_TABLES.filter((table) => names(sql, table)),
        usesTotals: names(sql, "totals"),
        isWrite: /\b(insert|update|delete|replace)\b/i.test(sql),
      };
      this.#uses.set(sql, use);
    }
    return use;
  }

  #writeUnread(): void {
    if (this.#unread.size === 0) return;
    const update = super.prepared("update participants set unread = unread + ? where name = ?");
    for (const [name, count] of this.#unread) if (count !== 0) update.run(count, name);
    this.#unread.clear();
  }

  #writeTotals(): void {
    const totals = this.#totals;
    if (!totals) return;
    this.#totals = undefined;
    super
      .prepared("update totals set messages = messages + ?, unread = unread + ?, dead = dead + ?")
      .run(totals.messages, totals.unread, totals.dead);
  }
}

const names = (sql: string, table: string): boolean => new RegExp(`\\b${table}\\b`, "i").test(sql);
