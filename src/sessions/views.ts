import { timestamp } from "../platform/clock.ts";
import type { Session } from "../protocol/units.ts";
import { sessionIcon } from "../registry/session-names.ts";
import type { SessionRecord } from "./record.ts";

/** What a live session adds to its record. */
export type LiveView = Pick<
  Session,
  "pid" | "state" | "cols" | "rows" | "client_count" | "viewer_count" | "output_bytes"
> & { title?: string; attention?: string; activeAtMs: number; agent?: Session["agent"] };

/** A session as the wire shows it: from its record, and from what runs. */
export function viewSession(record: SessionRecord, live: LiveView | undefined): Session {
  const { activeAtMs = record.active_at_ms, ...facts } = live ?? notLive(record);
  const title = facts.title ?? record.title;
  const agent = facts.agent ?? (record.agent_session_id ? { session_id: record.agent_session_id } : undefined);
  return {
    id: record.id,
    name: record.name,
    icon: sessionIcon(record.name),
    kind: record.kind,
    server: record.server,
    status: live ? "running" : "stopped",
    outcome: live ? null : (record.ended?.outcome ?? { kind: "lost", reason: "keeper ended" }),
    command: record.command,
    workdir: record.directory,
    labels: record.labels,
    created_at: timestamp(record.created_at_ms),
    started_at: timestamp(record.started_at_ms),
    active_at: timestamp(activeAtMs),
    resume_count: record.resume_count,
    ...facts,
    ...(title === undefined ? {} : { title }),
    ...(record.port === undefined ? {} : { port: record.port }),
    ...(record.former_name === undefined ? {} : { former_name: record.former_name }),
    ...(live || !record.ended ? {} : { stopped_at: timestamp(record.ended.at_ms) }),
    ...(agent === undefined ? {} : { agent }),
  };
}

function notLive(record: SessionRecord): Omit<LiveView, "activeAtMs"> & { activeAtMs?: number } {
  return {
    pid: 0,
    // One whose end nobody wrote down went with its keeper: it can be resumed like one that was saved.
    state: record.ended && !record.ended.saved ? "ended" : "saved",
    cols: record.cols,
    rows: record.rows,
    client_count: 0,
    viewer_count: 0,
    output_bytes: 0,
  };
}
