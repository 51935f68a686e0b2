import { fenced, notLeading } from "./errors.ts";
import type { Leader, LeaderRow } from "./operations.ts";
import type { Statements } from "./statements.ts";

/** Epochs in the log: the newest row leads, and each transaction of another one is refused (invariant 6). */

/** Rows that are kept, as the history of who led. */
const LEADERS_KEPT = 100;

/** Begins a new epoch; inside a transaction. */
export function beginEpoch(log: Statements, leader: Leader, nowMs: number): number {
  const epoch = newestEpoch(log) + 1;
  log.run(
    `insert into leader (epoch, pid, pid_start, boot_id, git_hash, version, socket, port, is_dedicated, since_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    epoch,
    leader.pid,
    leader.pidStart,
    leader.bootId,
    leader.gitHash,
    leader.version,
    leader.socket,
    leader.port,
    Number(leader.isDedicated),
    nowMs,
  );
  log.run("delete from leader where epoch <= ?", epoch - LEADERS_KEPT);
  return epoch;
}

/** @throws MAIL_FENCED, MAIL_NOT_LEADING */
export function checkEpoch(log: Statements, ours: number | undefined): number {
  if (ours === undefined) throw notLeading();
  const newest = newestEpoch(log);
  if (newest !== ours) throw fenced(ours, newest);
  return ours;
}

const newestEpoch = (log: Statements): number =>
  Number(log.get("select epoch from leader order by epoch desc limit 1")?.epoch ?? 0);

export function newestLeader(log: Statements): LeaderRow | undefined {
  const row = log.get("select * from leader order by epoch desc limit 1");
  return (
    row && {
      epoch: Number(row.epoch),
      pid: Number(row.pid),
      pidStart: String(row.pid_start),
      bootId: String(row.boot_id),
      gitHash: String(row.git_hash),
      version: String(row.version),
      socket: String(row.socket),
      ...(row.port === null ? {} : { port: Number(row.port) }),
      isDedicated: row.is_dedicated === 1,
      sinceMs: Number(row.since_ms),
    }
  );
}
