import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { backupPath } from "./errors.ts";
import { openLogToRead } from "./schema.ts";
import { logHead } from "./send.ts";
import { Statements } from "./statements.ts";

export interface Backup {
  path: string;
  bytes: number;
  log_head: number;
}

/**
 * A copy of the log as of one moment, whole and on disk, at `to`: an absolute path that is not there yet. Those who write go on meanwhile. It is put
 * back by stopping the mailbox and copying it over log.db (whose -wal and -shm have to go).
 * @throws MAIL_BACKUP_PATH, or SQLite's own error (no room).
 */
export function backUp(path: string, to: string): Backup {
  if (!isAbsolute(to)) throw backupPath(to, "is not absolute");
  if (existsSync(to)) throw backupPath(to, "is there already");
  if (!existsSync(dirname(to))) throw backupPath(to, "is in a directory that is not there");
  const partial = `${to}.partial-${process.pid}`;
  rmSync(partial, { force: true });
  const source = openLogToRead(path);
  try {
    source.prepare("vacuum into ?").run(partial);
    const head = headOf(partial);
    flush(partial);
    renameSync(partial, to);
    flush(dirname(to));
    return { path: to, bytes: statSync(to).size, log_head: head };
  } finally {
    source.close();
    rmSync(partial, { force: true });
  }
}

function headOf(path: string): number {
  const copy = openLogToRead(path);
  try {
    return logHead(new Statements(copy));
  } finally {
    copy.close();
  }
}

function flush(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
