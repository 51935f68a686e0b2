import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

export type Row = Record<string, unknown>;
export type Value = SQLInputValue | undefined;

/** A connection's prepared statements, each made once. `undefined` is stored as null. */
export class Statements {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values.map(orNull)) as Row | undefined;
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values.map(orNull)) as Row[];
  }

  /** Row by row; nothing else may be asked by the same text meanwhile. */
  each(sql: string, ...values: Value[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...values.map(orNull)) as Iterable<Row>;
  }

  /** How many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values.map(orNull)).changes);
  }

  /** The new row's id. */
  insert(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values.map(orNull)).lastInsertRowid);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

const orNull = (value: Value): SQLInputValue => (value === undefined ? null : value);
