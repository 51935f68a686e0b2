import { type Clock, systemClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { replaceFile } from "../platform/replace-file.ts";
import { messageOf } from "../protocol/errors.ts";
import type { FrontTable } from "../protocol/front-messages.ts";

/** The table on disk, for the next front. One write at a time, so that the one that ends last has the newest; of tables that come meanwhile only the last. */
export interface TableFileOptions {
  path: string;
  log: Log;
  clock?: Clock;
  /** For tests that hold it up. */
  replace?: typeof replaceFile;
}

/** After a write the next one waits so long: a table may change often. */
const SAVE_MS = 200;

export class TableFile {
  readonly #options: TableFileOptions;
  /** Not written yet. */
  #owed: FrontTable | undefined;
  #isWriting = false;
  #isStopped = false;

  constructor(options: TableFileOptions) {
    this.#options = options;
  }

  save(table: FrontTable): void {
    if (this.#isStopped) return;
    this.#owed = table;
    if (!this.#isWriting) void this.#write();
  }

  /** Begins no write any more. */
  stop(): void {
    this.#isStopped = true;
    this.#owed = undefined;
  }

  async #write(): Promise<void> {
    const { path, log, clock = systemClock, replace = replaceFile } = this.#options;
    this.#isWriting = true;
    while (this.#owed !== undefined) {
      const text = JSON.stringify(this.#owed);
      this.#owed = undefined;
      await replace(path, text).catch((error) => log.warn("table_not_written", { error: messageOf(error) }));
      await new Promise<void>((resolve) => clock.timer(SAVE_MS, resolve));
    }
    this.#isWriting = false;
  }
}
