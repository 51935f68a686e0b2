import type { SubscriptionItem } from "../../client/subscription.ts";
import type { Session } from "../../protocol/units.ts";
import type { ServerEntry } from "../../registry/entries.ts";
import { sessionIcon } from "../../registry/session-names.ts";

/** What is known of a server's sessions, by each of the ways in which it is told: the stream `sessions`, `session.list`, the registry. */

/** What a server tells of its sessions: all of them, or what has become of one. */
export function withItem(known: readonly Session[], item: SubscriptionItem): readonly Session[] {
  if (item.kind === "snapshot") {
    const byId = new Map(known.map((session) => [session.id, session]));
    const { sessions } = item.snapshot as { sessions: Session[] };
    return sessions.map((session) => withUnread(session, byId.get(session.id)));
  }
  const { event, data } = item.event;
  if (event === "session_gone") return known.filter(({ id }) => id !== data.id);
  if (event !== "session_changed") return known;
  const changed = data.session as Session;
  const isKnown = known.some(({ id }) => id === changed.id);
  return isKnown ? known.map((one) => (one.id === changed.id ? withUnread(changed, one) : one)) : [...known, changed];
}

/** With what no server tells by itself, of an answer that may be older than what was told. */
export function refreshed(known: readonly Session[], measured: readonly Session[]): readonly Session[] {
  const byId = new Map(measured.map((session) => [session.id, session]));
  return known.map((session) => {
    const now = byId.get(session.id);
    if (!now) return session;
    const { active_at, output_bytes } = now;
    return withUnread({ ...session, active_at, output_bytes }, now);
  });
}

/** The count of `from`: of mail that waits a server tells to who asks alone. */
function withUnread({ unread: _, ...session }: Session, from: Session | undefined): Session {
  return from?.unread === undefined ? session : { ...session, unread: from.unread };
}

/** The sessions of a server that has never answered, as its entry names them. All that is not known is left empty. */
export const namedBy = ({ name: server, started_at, sessions = [] }: ServerEntry): Session[] =>
  sessions.map(({ id, name, kind }) => ({
    id,
    name,
    icon: sessionIcon(name),
    kind: kind ?? "session",
    server,
    pid: 0,
    status: "running",
    state: "unknown" as Session["state"],
    outcome: null,
    command: [],
    workdir: "",
    labels: {},
    created_at: started_at,
    started_at,
    active_at: started_at,
    cols: 0,
    rows: 0,
    client_count: 0,
    viewer_count: 0,
    output_bytes: 0,
    resume_count: 0,
  }));
