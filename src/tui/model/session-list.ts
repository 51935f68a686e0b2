import type { Session } from "../../protocol/units.ts";
import {
  chain,
  isLive,
  type LatestServer,
  type Model,
  NEW_ID,
  type Row,
  type ServerView,
  type SessionList,
  type Step,
} from "./model.ts";
import { select, settle } from "./units.ts";

/**
 * The sessions of all servers, as rows.
 *
 * Invariants
 * 1. Below its server a session keeps its place. The order is made once (needs you, working, idle; the latest sign of life first); in between, a session
 *    that is new or comes to need you goes to the top of its server, or, with the cursor in that server, right below the cursor.
 * 2. Rows and their places are made when sessions come, go or rise, not when one of them only changes: a key or a frame never sorts.
 * 3. A server keeps its place for as long as it is there.
 */

const RANK: Partial<Record<Session["state"], number>> = { needs_you: 0, starting: 1, working: 1, idle: 2 };
const RANK_OF_OTHERS = 3;

export function applySessions(model: Model, servers: readonly ServerView[], latest: LatestServer, nowMs: number): Step {
  const before = model.sessions;
  const placed = inPlace(before.servers, servers);
  const live = new Map(placed.flatMap(({ sessions }) => sessions.map((session) => [session.id, session] as const)));
  const orders = new Map(placed.map((server) => [server.name, orderOf(server, before, model.selectedId)]));
  const hasLost = [...before.byId.values()].some((session) => isLive(session) && !live.has(session.id));
  const list = withRows({
    ...before,
    servers: placed,
    latest,
    orders,
    byId: withEnded(live, before.ended),
    counts: countsOf(live.values()),
  });
  const [next, effects] = chain({ ...model, nowMs, sessions: list }, (current) => settle(current, model), goBack);
  const strayed = strayedFrom(model, next);
  return [{ ...next, strayed }, hasLost && list.showsEnded ? [...effects, { kind: "load-ended" }] : effects];
}

/** To the session that was selected before it was gone for a moment, unless the user went elsewhere. */
function goBack(model: Model): Step {
  const { strayed, selectedId, sessions } = model;
  return strayed && strayed.toId === selectedId && sessions.places.has(strayed.id)
    ? select(model, strayed.id)
    : [model, []];
}

function strayedFrom(before: Model, now: Model): Model["strayed"] {
  const { selectedId } = before;
  if (selectedId === now.selectedId || selectedId === null)
    return now.selectedId === now.strayed?.id ? null : now.strayed;
  return before.sessions.places.has(selectedId) && !now.sessions.places.has(selectedId)
    ? { id: selectedId, toId: now.selectedId }
    : null;
}

/** One that was looked at and has changed since. */
export function applySession(model: Model, session: Session): Step {
  const { sessions } = model;
  if (!sessions.byId.has(session.id)) return [model, []];
  const byId = new Map(sessions.byId).set(session.id, session);
  const counts = countsOf([...byId.values()].filter(isLive));
  return [{ ...model, sessions: { ...sessions, byId, counts } }, []];
}

export function toggleEnded(model: Model): Step {
  const { sessions } = model;
  if (!sessions.showsEnded)
    return [{ ...model, sessions: { ...sessions, showsEnded: true } }, [{ kind: "load-ended" }]];
  const live = new Map([...sessions.byId].filter(([, session]) => isLive(session)));
  const list = withRows({ ...sessions, showsEnded: false, ended: [], byId: live });
  return settle({ ...model, sessions: list }, model);
}

export function applyEnded(model: Model, ended: readonly Session[]): Step {
  const { sessions } = model;
  if (!sessions.showsEnded) return [model, []];
  const live = new Map([...sessions.byId].filter(([, session]) => isLive(session)));
  const sorted = ended.toSorted(
    (a, b) => Date.parse(b.stopped_at ?? b.active_at) - Date.parse(a.stopped_at ?? a.active_at),
  );
  const list = withRows({ ...sessions, ended: sorted, byId: withEnded(live, sorted) });
  return settle({ ...model, sessions: list }, model);
}

function countsOf(sessions: Iterable<Session>): SessionList["counts"] {
  const counts = { needsYou: 0, working: 0 };
  for (const { state } of sessions) {
    if (state === "needs_you") counts.needsYou++;
    else if (state === "working" || state === "starting") counts.working++;
  }
  return counts;
}

/** A live one rather than what is remembered of it. */
const withEnded = (live: ReadonlyMap<string, Session>, ended: readonly Session[]): Map<string, Session> =>
  new Map([...ended.map((session) => [session.id, session] as const), ...live]);

/** Invariant 3. */
function inPlace(before: readonly ServerView[], servers: readonly ServerView[]): ServerView[] {
  const place = new Map(before.map(({ name }, at) => [name, at]));
  const placeOf = ({ name }: ServerView): number => place.get(name) ?? Number.POSITIVE_INFINITY;
  return servers.toSorted((a, b) => (placeOf(a) === placeOf(b) ? 0 : placeOf(a) - placeOf(b)));
}

/** Invariant 1. */
function orderOf(server: ServerView, before: SessionList, selectedId: string | null): readonly string[] {
  const old = before.orders.get(server.name);
  if (!old) return freshOrder(server.sessions);
  const known = new Set(old);
  const there = new Set(server.sessions.map(({ id }) => id));
  const risen = server.sessions.filter(
    ({ id, state }) => !known.has(id) || (state === "needs_you" && before.byId.get(id)?.state !== "needs_you"),
  );
  if (risen.length === 0 && there.size === known.size) return old;
  const kept = old.filter((id) => there.has(id));
  return raisedAll(kept, freshOrder(risen), selectedId);
}

function freshOrder(sessions: readonly Session[]): string[] {
  const keyed = sessions.map(({ id, state, active_at }) => ({
    id,
    rank: RANK[state] ?? RANK_OF_OTHERS,
    activeAtMs: Date.parse(active_at),
  }));
  return keyed.sort((a, b) => a.rank - b.rank || b.activeAtMs - a.activeAtMs).map(({ id }) => id);
}

/** As `raised` of units.ts, for many at once. What is selected itself stays where it is. */
function raisedAll(order: readonly string[], risen: readonly string[], selectedId: string | null): string[] {
  const rising = new Set(risen.filter((id) => id !== selectedId || !order.includes(id)));
  const cursor = selectedId === null ? -1 : order.indexOf(selectedId);
  const wasAbove = new Set(order.slice(0, Math.max(0, cursor)));
  const [toTop, toCursor]: [string[], string[]] = [[], []];
  for (const id of risen) if (rising.has(id)) (cursor < 0 || wasAbove.has(id) ? toTop : toCursor).push(id);
  const rest = order.filter((id) => !rising.has(id));
  const at = cursor < 0 ? 0 : rest.indexOf(selectedId!) + 1;
  return [...toTop, ...rest.slice(0, at), ...toCursor, ...rest.slice(at)];
}

/** Invariant 2. */
function withRows(list: SessionList): SessionList {
  const rows = rowsOf(list);
  if (rows.length === list.rows.length && rows.every((row, at) => isSame(row, list.rows[at]!))) return list;
  const places = new Map(rows.flatMap((row, at) => ("id" in row ? [[row.id, at] as const] : [])));
  return { ...list, rows, places };
}

function rowsOf({ servers, orders, showsEnded, ended, byId }: SessionList): Row[] {
  const rows: Row[] = [{ kind: "new", id: NEW_ID }];
  const isGrouped = servers.length > 1 || servers.some(({ sessions }) => sessions.length > 0);
  for (const { name } of isGrouped ? servers : []) {
    const order = orders.get(name) ?? [];
    rows.push({ kind: "server", name });
    for (const id of order) rows.push({ kind: "session", id });
    if (order.length === 0) rows.push({ kind: "none", name });
  }
  if (!showsEnded) return rows;
  const over = ended.filter(({ id }) => !isLive(byId.get(id)!));
  rows.push({ kind: "ended" });
  for (const { id } of over) rows.push({ kind: "session", id });
  if (over.length === 0) rows.push({ kind: "none", name: "" });
  return rows;
}

const isSame = (a: Row, b: Row): boolean => a.kind === b.kind && keyOf(a) === keyOf(b);
const keyOf = (row: Row): string => ("id" in row ? row.id : "name" in row ? row.name : "");
