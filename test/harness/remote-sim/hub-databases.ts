import { openHubDatabase } from "../../../src/hub/schema.ts";
import { Statements } from "../../../src/hub/statements.ts";

/** Hubs' databases in memory, for one schedule after another: to open one and to prepare its statements takes many times as long as to empty it. */
export class HubDatabases {
  readonly #free: Statements[] = [];

  /** An empty one. */
  take(): Statements {
    return this.#free.pop() ?? new Statements(openHubDatabase(":memory:"));
  }

  /** Nobody uses it any more. */
  giveBack(statements: Statements): void {
    for (const { name } of statements.all<{ name: string }>("select name from sqlite_schema where type = 'table'"))
      statements.run(`delete from ${name}`);
    this.#free.push(statements);
  }
}
