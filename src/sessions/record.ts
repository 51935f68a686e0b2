import { readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonIfExists, writeFileAtomic } from "../platform/atomic-file.ts";
import { makeDirectories } from "../platform/directories.ts";
import { replaceFile } from "../platform/replace-file.ts";
import type { Outcome } from "../protocol/outcome.ts";

/**
 * What a session is, on disk: `sessions/<id>/session.json`, written by the one server that has the session, read by all. It holds what a resume needs;
 * what a live session does at the moment is not in it.
 *
 * A record without `ended` belongs to a session whose program runs, or whose keeper was killed: the keeper's channels tell which.
 */
export interface SessionRecord {
  format: 1;
  oldest_reader: 1;
  id: string;
  name: string;
  kind: "session" | "agent";
  command: string[];
  directory: string;
  /** "KEY=value" each. */
  env: string[];
  /** That has it, or had it last. */
  server: string;
  labels: Record<string, string>;
  /** Marks its processes: WARREN_RUN_TAG. */
  tag: number;
  created_at_ms: number;
  started_at_ms: number;
  /** The last sign of life that was written down. */
  active_at_ms: number;
  cols: number;
  rows: number;
  title?: string;
  former_name?: string;
  resume_count: number;
  /** Says of which request the last resume was, so that a repeat of it starts nothing again. */
  resumed_by?: string;
  /** Its own, in its programs' PORT; absent when there was none left, and in records of builds that gave none. */
  port?: number;
  /** By a person, not by us. */
  is_port_chosen?: boolean;
  ended: { outcome: Outcome; at_ms: number /** By Warren's own end, not by the program's. */; saved: boolean } | null;
  /** Of an agent: its own id of the conversation. */
  agent_session_id?: string;
  /** Of an agent: the first segment of its journal for each program after the first, so that one whose end nobody wrote down is known to have ended. */
  starts?: number[];
}

const FORMAT = 1;
const RECORD_FILE = "session.json";

export class SessionRecords {
  readonly #dir: string;
  readonly #onRemove: (record: SessionRecord) => void;

  /** `onRemove`: called before the record goes. */
  constructor(sessionsDir: string, onRemove: (record: SessionRecord) => void) {
    this.#dir = sessionsDir;
    this.#onRemove = onRemove;
  }

  directoryOf(id: string): string {
    return join(this.#dir, id);
  }

  journalDirOf(id: string): string {
    return join(this.#dir, id, "journal");
  }

  /** Makes the directories of a new session. */
  prepare(id: string): void {
    makeDirectories(this.journalDirOf(id), 0o700);
  }

  write(record: SessionRecord): void {
    writeFileAtomic(join(this.#dir, record.id, RECORD_FILE), `${JSON.stringify(record)}\n`);
  }

  /** The same, not synchronously. */
  writeLater(record: SessionRecord): Promise<void> {
    return replaceFile(join(this.#dir, record.id, RECORD_FILE), `${JSON.stringify(record)}\n`);
  }

  /** Undefined when there is none, or it cannot be read, or a newer Warren wrote it in a form that we do not understand. */
  read(id: string): SessionRecord | undefined {
    const record = readJsonIfExists<SessionRecord>(join(this.#dir, id, RECORD_FILE));
    return record && record.oldest_reader <= FORMAT && record.id === id ? record : undefined;
  }

  /** All of the home, the newest first. Reads a small file for each. */
  readAll(): SessionRecord[] {
    const records = this.#ids().flatMap((id) => this.read(id) ?? []);
    return records.sort((a, b) => b.active_at_ms - a.active_at_ms);
  }

  /** Takes everything of it away; first the record, so that a kill in between leaves no session without a journal. */
  async remove(id: string): Promise<void> {
    const record = this.read(id);
    if (record) this.#onRemove(record);
    rmSync(join(this.#dir, id, RECORD_FILE), { force: true });
    await rm(this.directoryOf(id), { recursive: true, force: true });
  }

  #ids(): string[] {
    try {
      return readdirSync(this.#dir);
    } catch {
      return [];
    }
  }
}
