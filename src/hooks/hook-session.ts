import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeDirectories } from "../platform/directories.ts";
import { homeDigest, type Places } from "../platform/paths.ts";
import type { ProcessRef } from "./agent-process.ts";
import { readSmall, writeSmall } from "./small-file.ts";

/**
 * What hooks remember of one session of an agent, `<home>/mail/hooks/<session>/`: its record, what it was given (`gives.ts`), and `idle` while it waits for
 * its user. Hooks of one session may run at the same time; each file has one writer, or says the same whoever writes it.
 */
export interface SessionRecord {
  format: 1;
  name: string;
  /** Who asks, at whichever leader, and by which process: what it has in hand stays in hand between its hooks. */
  client_id: string;
  agent?: ProcessRef;
  /** The directory by which its key was filed, and the file; absent for a name that belongs to a session of Warren's. */
  project?: string;
  key_file?: string;
  /** The agent's commands know from their environment who they are. */
  is_in_env?: true;
  /** Warren holds this agent and wakes it by a prompt: hooks do nothing. */
  stands_down?: true;
}

const PLAIN_ID = /^[A-Za-z0-9_-]{1,80}$/;
const RECORD = "session.json";
const IDLE = "idle";

export const sessionsDirOf = ({ mailDir }: Places): string => join(mailDir, "hooks");

export class HookSession {
  readonly dir: string;
  #files: string[] | undefined;

  constructor(places: Places, sessionId: string) {
    // An id is another program's word, and no path.
    const file = PLAIN_ID.test(sessionId) ? sessionId : `x-${homeDigest(sessionId)}${homeDigest(`${sessionId}x`)}`;
    this.dir = join(sessionsDirOf(places), file);
  }

  record(): SessionRecord | undefined {
    const record = readSmall<SessionRecord>(this.path(RECORD));
    return record?.format === 1 && typeof record.name === "string" ? record : undefined;
  }

  remember(record: SessionRecord): void {
    this.make();
    writeSmall(this.path(RECORD), record);
  }

  /** When its record was written, in milliseconds since 1970; without one, when something in its directory last was. Infinity when it is gone. */
  changedMs(): number {
    const found = [this.path(RECORD), this.dir].map((path) => statSync(path, { throwIfNoEntry: false }));
    return found.find((stats) => stats !== undefined)?.mtimeMs ?? Number.POSITIVE_INFINITY;
  }

  make(): void {
    makeDirectories(this.dir, 0o700);
  }

  /** As of the first time that it is asked, by this process. */
  files(): readonly string[] {
    this.#files ??= listed(this.dir);
    return this.#files;
  }

  path(file: string): string {
    return join(this.dir, file);
  }

  get isIdle(): boolean {
    return listed(this.dir).includes(IDLE);
  }

  becomesIdle(): void {
    writeSmall(this.path(IDLE), {});
  }

  becomesBusy(): void {
    if (this.files().includes(IDLE)) rmSync(this.path(IDLE), { force: true });
  }
}

function listed(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
