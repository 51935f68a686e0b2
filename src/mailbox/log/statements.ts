import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

export type Row = Record<string, unknown>;
export type Value = SQLInputValue | undefined;

/** What is read over and over, and changes seldom: it may be remembered by table and key (`WritingStatements`). */
export type RememberedTable = "participants" | "forwards" | "members" | "grants";

export interface Totals {
  messages: number;
  unread: number;
  dead: number;
}

/** A connection's prepared statements, each made once. `undefined` is stored as null. */
export class Statements {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.prepared(sql).get(...stored(values)) as Row | undefined;
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.prepared(sql).all(...stored(values)) as Row[];
  }

  /** Row by row; nothing else may be asked by the same text meanwhile. */
  each(sql: string, ...values: Value[]): Iterable<Row> {
    return this.prepared(sql).iterate(...stored(values)) as Iterable<Row>;
  }

  /** How many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.prepared(sql).run(...stored(values)).changes);
  }

  /** The new row's id; undefined when the statement ignores a conflict, and there was one. */
  insert(sql: string, ...values: Value[]): number | undefined {
    const { changes, lastInsertRowid } = this.prepared(sql).run(...stored(values));
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  /** What `look` finds in that table by that key. Here it is looked up each time, since others write. */
  remembered<T>(_table: RememberedTable, _key: string, look: () => T): T {
    return look();
  }

  /** Unread messages of a participant, more or less. */
  addUnread(name: string, count: number): void {
    this.run("update participants set unread = unread + ? where name = ?", count, name);
  }

  addTotals({ messages = 0, unread = 0, dead = 0 }: Partial<Totals>): void {
    this.run("update totals set messages = messages + ?, unread = unread + ?, dead = dead + ?", messages, unread, dead);
  }

  protected prepared(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/** In place: the array is the call's own. */
function stored(values: Value[]): SQLInputValue[] {
  for (let at = 0; at < values.length; at++) values[at] ??= null;
  return values as SQLInputValue[];
}
