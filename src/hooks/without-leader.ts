import { statSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "../platform/paths.ts";
import type { HookSession } from "./hook-session.ts";
import { readSmall, writeSmall } from "./small-file.ts";

/** What the log says while nobody leads: then nobody writes it. */
const EMPTY = "empty.json";

/** The same log, as it was: size and time of its two files. */
interface EmptyAt {
  format: 1;
  log: string;
}

/** False too when the log cannot be read: whoever leads next is asked. */
export async function hasMailInLog(name: string, { mailDir }: Places, session: HookSession): Promise<boolean> {
  const path = join(mailDir, "log.db");
  const log = [path, `${path}-wal`].map(stamp).join(" ");
  if (log === "- -") return false;
  const known = session.files().includes(EMPTY) ? readSmall<EmptyAt>(session.path(EMPTY)) : undefined;
  if (known?.log === log) return false;
  const unread = await unreadOf(path, name);
  if (unread === 0) writeSmall(session.path(EMPTY), { format: 1, log } satisfies EmptyAt);
  return unread > 0;
}

function stamp(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "-" : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

async function unreadOf(path: string, name: string): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite"); // 8 ms, once for each log that is left behind
  try {
    using log = new DatabaseSync(path, { readOnly: true, timeout: 100 });
    const row = log.prepare("select unread from participants where name = ?").get(name);
    return Number(row?.unread ?? 0);
  } catch {
    return 0;
  }
}
