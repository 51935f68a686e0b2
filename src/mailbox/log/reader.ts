import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PayloadOf } from "../../protocol/messages.ts";
import { exportRows } from "./export.ts";
import { history, needsPlaces } from "./history.ts";
import type { AnswerTo, Operation, ReadType } from "./operations.ts";
import { Presences } from "./presences.ts";
import { openLog, openLogToRead } from "./schema.ts";
import { SearchIndex } from "./search-index.ts";
import { Statements } from "./statements.ts";

/**
 * What takes long: history, search and export, on a connection that only reads, and copying the write-ahead log into the file. On a thread of its
 * own, so that no sender waits for it.
 */
export class Reader {
  readonly #path: string;
  readonly #log: Statements;
  readonly #index: SearchIndex;
  readonly #presences = new Presences();
  #checkpoints: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#log = new Statements(openLogToRead(path));
    this.#index = new SearchIndex(join(dirname(path), "search.db"), this.#log);
  }

  async read({ type, payload, by, nowMs }: Operation<ReadType>): Promise<AnswerTo<ReadType>> {
    if (type === "mail.export") return exportRows(this.#log, payload as PayloadOf<"mail.export">);
    const asked = payload as PayloadOf<"mail.history">;
    const look = { log: this.#log, by, nowMs, presences: this.#presences };
    if (needsPlaces(look, asked)) await this.#fillIndex();
    return history(look, asked, this.#index);
  }

  /** Some of what the index lacks, or has too much, while nobody wants anything else. Whether there is more. */
  fillIndex(): boolean {
    return this.#index.fill() || this.#index.clean();
  }

  /** Copies what nobody reads any more into the file, without standing in the writer's way. */
  checkpoint(): void {
    this.#checkpoints ??= openLog(this.#path);
    this.#checkpoints.prepare("pragma wal_checkpoint(passive)").get();
  }

  close(): void {
    this.#index.close();
    this.#checkpoints?.close();
    this.#log.database.close();
  }

  async #fillIndex(): Promise<void> {
    while (this.#index.fill()) await nextTurn(); // others are read for in between
  }
}
