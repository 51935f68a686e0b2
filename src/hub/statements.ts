import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

type Row = Record<string, unknown>;

/** A connection's prepared statements, each made once. `undefined` is stored as null; blobs come back as they are. */
export class Statements {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  get<T = Row>(sql: string, ...values: (SQLInputValue | undefined)[]): T | undefined {
    return this.#prepare(sql).get(...values.map((value) => value ?? null)) as T | undefined;
  }

  all<T = Row>(sql: string, ...values: (SQLInputValue | undefined)[]): T[] {
    return this.#prepare(sql).all(...values.map((value) => value ?? null)) as T[];
  }

  /** How many rows it changed. */
  run(sql: string, ...values: (SQLInputValue | undefined)[]): number {
    return Number(this.#prepare(sql).run(...values.map((value) => value ?? null)).changes);
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
