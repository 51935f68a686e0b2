import { closeSync, fdatasync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Puts SQLite's write-ahead log on the disk, in another thread, so that frames are passed on meanwhile. The log is one file as long as the database is open
 * (it is begun anew in place), and none of SQLite's locks lie on it, so another descriptor does no harm.
 */
export class WalSync {
  readonly #fd: number;

  /** The database is open, in WAL mode, and something was committed. @throws the system's error */
  constructor(databasePath: string) {
    this.#fd = openSync(`${databasePath}-wal`, "r+");
    const dir = openSync(dirname(databasePath), "r");
    try {
      fsyncSync(dir); // the two files' names
    } finally {
      closeSync(dir);
    }
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())));
  }

  close(): void {
    closeSync(this.#fd);
  }
}
