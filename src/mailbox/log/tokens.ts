import { checkedName } from "./names.ts";
import type { LogCalls, LogReads } from "./operations.ts";
import type { Statements } from "./statements.ts";
import type { Turn } from "./turn.ts";

/** Session tokens of claude-ipc's clients, by their hash; they go with a name that is renamed. */

export function saveToken(
  { log }: Turn,
  { hash, name, expires_at_ms }: LogCalls["log.save_token"]["payload"],
): { hash: string } {
  log.run(
    "insert or replace into tokens (hash, name, expires_at_ms) values (?, ?, ?)",
    hash,
    checkedName(name),
    expires_at_ms,
  );
  return { hash };
}

export function tokenName(
  log: Statements,
  { hash, now_ms }: LogReads["log.token"]["payload"],
): LogReads["log.token"]["data"] {
  const row = log.get("select name from tokens where hash = ? and expires_at_ms > ?", hash, now_ms);
  return { name: row && String(row.name) };
}
