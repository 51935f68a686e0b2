import { bootId } from "../platform/process.ts";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import type { SharedSearches } from "../runs/shared-searches.ts";
import { type Stopped, stopTree } from "../runs/stop.ts";
import { NO_SHIM } from "./no-shim.ts";
import type { SessionRecord } from "./record.ts";

/** A shell that somebody types into ignores SIGTERM; what it obeys is its terminal being closed. */
const TERMINAL_SIGNAL = "SIGHUP";
const GRACE_MS = 3_000;

/** Ends a session's program and everything that it started; resolves when they are gone. The keeper tells how it ended. */
export function stopSession({
  record,
  channel,
  force,
  graceMs = GRACE_MS,
  searches,
}: {
  record: SessionRecord;
  channel: KeeperChannel;
  force: boolean;
  graceMs?: number;
  /** With those of other sessions that end at the same time. */
  searches?: SharedSearches;
}): Promise<Stopped> {
  return stopTree(
    {
      runId: record.id,
      tag: record.tag,
      job: { bootId: bootId(), pid: channel.pid, startTicks: channel.startTicks },
      shim: NO_SHIM,
    },
    {
      signal: record.kind === "session" ? TERMINAL_SIGNAL : "SIGTERM",
      force,
      graceMs,
      ...(searches ? { find: searches.find } : {}),
    },
  );
}
