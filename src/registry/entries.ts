import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../platform/atomic-file.ts";
import { isAlive } from "../platform/process.ts";

/**
 * The registry: one file per live server, `servers/<name>.json`, so that two servers that announce themselves at once cannot lose each other's entry.
 * A server writes its entry when it serves and takes it away when it ends. That of one that was killed stays until its next generation has written its own, since it
 * leads there and names the sessions; when there will be none, the next command that starts a server takes it away (`local/`).
 */
export interface ServerEntry {
  format: 1;
  oldest_reader: 1;
  name: string;
  icon: string;
  git_hash: string;
  version: string;
  built_at_ms: number;
  socket: string;
  /** Where it can be looked into; absent in entries of builds that had none. */
  debug_socket?: string;
  pid: number;
  start_ticks: number;
  boot_id: string;
  started_at: string;
  primary: boolean;
  generation: number;
  /** Absent in entries of builds that had none. */
  sessions?: EntrySession[];
}

/** A live session of the server: enough to find the way to it. */
export interface EntrySession {
  id: string;
  name: string;
  /** Absent for one with a terminal. */
  kind?: "agent";
  /** Absent where it has none. */
  port?: number;
}

/** A reader of this build understands entries up to this format. */
const FORMAT = 1;

export function announce(serversDir: string, entry: ServerEntry): void {
  removeUnfinished(serversDir, entry.name);
  writeFileAtomic(join(serversDir, `${entry.name}.json`), `${JSON.stringify(entry)}\n`);
}

/** Takes the entry away if it is still that of process `pid`. */
export function withdraw(serversDir: string, name: string, pid: number): void {
  const path = join(serversDir, `${name}.json`);
  if (readEntry(path)?.pid === pid) rmSync(path, { force: true });
}

/** Its process lives: an entry that a killed server left behind is another matter. */
export const isServing = ({ boot_id, pid, start_ticks }: ServerEntry): boolean =>
  isAlive({ bootId: boot_id, pid, startTicks: start_ticks });

/** Takes away what dead servers have left, but for those of these names. */
export function removeStaleEntries(serversDir: string, kept: ReadonlySet<string>): void {
  for (const entry of readEntries(serversDir))
    if (!kept.has(entry.name) && !isServing(entry)) withdraw(serversDir, entry.name, entry.pid);
}

/** All entries, the primary first, then the newest; files that cannot be read or are newer than us are left out. */
export function readEntries(serversDir: string): ServerEntry[] {
  const entries: ServerEntry[] = [];
  for (const file of listFiles(serversDir)) {
    const entry = readEntry(join(serversDir, file));
    if (entry) entries.push(entry);
  }
  return entries.sort(
    (a, b) => Number(b.primary) - Number(a.primary) || Date.parse(b.started_at) - Date.parse(a.started_at),
  );
}

/** What generations of this name that were killed between writing and renaming have left. */
function removeUnfinished(serversDir: string, name: string): void {
  for (const file of readdirSync(serversDir)) {
    if (file.startsWith(`${name}.json.`) && file.endsWith(".tmp")) rmSync(join(serversDir, file), { force: true });
  }
}

function readEntry(path: string): ServerEntry | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8"));
    return value.oldest_reader <= FORMAT && typeof value.socket === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function listFiles(dir: string): string[] {
  try {
    return readdirSync(dir).filter((file) => file.endsWith(".json"));
  } catch {
    return [];
  }
}
