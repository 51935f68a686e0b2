import assert from "node:assert/strict";
import { test } from "node:test";
import { at, ended, job, Played, server, session } from "../../../test/tui/played.ts";
import { NEW_ID, type Row } from "./model.ts";
import { rowAt, rowCount, shownRows } from "./rows.ts";

const textOf = (row: Row | undefined): string =>
  row === undefined ? "" : "id" in row ? row.id : "name" in row ? `${row.kind}:${row.name}` : row.kind;
const rowsOf = ({ model }: Played): string[] =>
  Array.from({ length: rowCount(model) }, (_, index) => textOf(rowAt(model, index)));

test("list: a new session first, sessions by server, then the jobs", () => {
  const played = new Played(120, 36, { isPicker: true })
    .show(job("1aa"), ended("1bb"))
    .servers(server("frozen", []), server("blazing", [session("fox")]));
  assert.deepEqual(rowsOf(played), [
    NEW_ID,
    "server:frozen",
    "none:frozen",
    "server:blazing",
    "fox",
    "jobs",
    "1aa",
    "1bb",
  ]);
  assert.equal(played.model.selectedId, NEW_ID, "a picker begins at a new session");
});

test("list: a server alone without sessions needs no heading", () => {
  assert.deepEqual(rowsOf(new Played().show(job("1aa")).servers(server("frozen", []))), [NEW_ID, "1aa"]);
});

test("order: needs you, working, idle; the latest sign of life first (invariant 1)", () => {
  const played = new Played().servers(
    server("blazing", [
      session("old", { active_at: at(90_000) }),
      session("busy", { state: "working", active_at: at(80_000) }),
      session("new", { active_at: at(1_000) }),
      session("asks", { state: "needs_you", active_at: at(99_000) }),
    ]),
  );
  assert.deepEqual(rowsOf(played).slice(2), ["asks", "busy", "new", "old"]);
});

test("order: work and rest move nothing; who comes to need you rises, below the cursor (invariant 1)", () => {
  const [a, b, c] = [session("aaa"), session("bbb"), session("ccc")];
  const played = new Played().servers(server("blazing", [a, b, c]));
  const { rows } = played.model.sessions;
  played.servers(server("blazing", [a, b, { ...c, state: "working", active_at: at(0) }]));
  assert.equal(played.model.sessions.rows, rows, "no row was made again");
  played.keys("g", "j");
  assert.equal(played.model.selectedId, "aaa");
  played.servers(server("blazing", [a, b, { ...c, state: "needs_you" }]));
  assert.deepEqual(rowsOf(played).slice(2), ["aaa", "ccc", "bbb"]);
  played.keys("g").servers(server("blazing", [a, { ...b, state: "needs_you" }, { ...c, state: "needs_you" }]));
  assert.deepEqual(rowsOf(played).slice(2), ["bbb", "aaa", "ccc"]);
});

test("cursor: follows its session to another server, and goes to the next one when it ends", () => {
  const [a, b] = [session("aaa"), session("bbb")];
  const played = new Played().servers(server("blazing", [a, b]), server("frozen", [])).keys("g", "j");
  assert.equal(played.model.selectedId, "aaa");
  played.servers(server("blazing", [b]), server("frozen", [a]));
  assert.equal(played.model.selectedId, "aaa");
  assert.deepEqual(rowsOf(played), [NEW_ID, "server:blazing", "bbb", "server:frozen", "aaa"]);
  played.servers(server("blazing", [b]), server("frozen", []));
  assert.equal(played.model.selectedId, "bbb");
});

test("cursor: goes back to a session that was nowhere while it moved, unless the user went elsewhere", () => {
  const [a, b] = [session("aaa"), session("bbb")];
  const played = new Played().servers(server("blazing", [a, b]), server("frozen", [])).keys("g", "j");
  played.servers(server("blazing", [b]), server("frozen", []));
  assert.equal(played.model.selectedId, "bbb");
  played.servers(server("blazing", [b]), server("frozen", [a]));
  assert.equal(played.model.selectedId, "aaa");
  played.servers(server("blazing", [b]), server("frozen", [])).keys("g");
  played.servers(server("blazing", [b]), server("frozen", [a]));
  assert.equal(played.model.selectedId, NEW_ID);
});

test("cursor: its row on the screen stays when sessions come above it", () => {
  const sessions = Array.from({ length: 60 }, (_, index) => session(`s${String(index).padStart(2, "0")}`));
  const [first, last] = [server("blazing", []), server("frozen", sessions)];
  const played = new Played().servers(first, last).keys("g", ...Array(40).fill("j"), ...Array(5).fill("k"));
  const row = (): number => shownRows(played.model).findIndex((one) => textOf(one) === played.model.selectedId);
  const before = row();
  assert.ok(before > 5);
  played.servers(server("blazing", [session("xxx"), session("yyy"), session("zzz")]), last);
  assert.equal(row(), before);
});

test("ended ones are shown on demand, and asked for again when one ends", () => {
  const played = new Played().servers(server("blazing", [session("fox"), session("owl")])).keys(".");
  assert.ok(played.effect("load-ended"));
  const over = session("bear", { state: "ended", outcome: { kind: "exited", status: 3 }, stopped_at: at(5_000) });
  played.do({ type: "ended-loaded", sessions: [over] });
  assert.deepEqual(rowsOf(played).slice(-2), ["ended", "bear"]);
  assert.ok(played.servers(server("blazing", [session("fox")])).effect("load-ended"));
  played.keys(".");
  assert.equal(rowsOf(played).includes("bear"), false);
});

test("its screen is watched while a live one is selected", () => {
  const played = new Played()
    .show(job("1aa"))
    .servers(server("blazing", [session("fox")]))
    .keys("g");
  assert.deepEqual(played.keys("j").effect("watch-screen"), { kind: "watch-screen", id: "fox" });
  assert.equal(played.keys("tab").effect("watch-screen"), undefined);
  assert.deepEqual(played.keys("j").effect("watch-screen"), { kind: "watch-screen", id: null });
});
