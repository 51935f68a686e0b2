import assert from "node:assert/strict";
import { test } from "node:test";
import { at, job, Played, server, session } from "../../../test/tui/played.ts";
import { helpLines } from "./help.ts";
import { paletteMatches } from "./palette.ts";

const frozen = (): ReturnType<typeof server> => server("frozen", []);
const onFox = (): Played =>
  new Played(120, 36, { isPicker: true })
    .show(job("1aa", { name: "web" }))
    .servers(frozen(), server("blazing", [session("fox"), session("owl", { title: "Deploy to production" })]))
    .keys("j");

test("enter: a new session on the first line, else attaches; v only looks", () => {
  const played = onFox();
  assert.deepEqual(played.keys("enter").effect("attach"), { kind: "attach", id: "fox", isViewer: false });
  assert.deepEqual(played.keys("v").effect("attach"), { kind: "attach", id: "fox", isViewer: true });
  assert.ok(played.keys("g", "enter").effect("new-session"));
  assert.ok(played.keys("G", "+").effect("new-session"), "from anywhere");
});

test("s: asks, and any other key forgets the question", () => {
  const played = onFox().keys("s");
  assert.equal(played.effect("perform"), undefined);
  assert.match(played.model.message?.text ?? "", /press s again: stop fox/);
  assert.equal(played.keys("j", "k", "s").effect("perform"), undefined);
  assert.deepEqual(played.keys("s").effect("perform")?.verb, { verb: "session-stop", id: "fox" });
});

test("s: the question about one session is not an answer about another", () => {
  const played = onFox().keys("s");
  played.servers(frozen(), server("blazing", [session("owl")]));
  assert.equal(played.model.selectedId, "owl");
  assert.equal(played.keys("s").effect("perform"), undefined);
});

test("R: edits the name; nothing happens without a change", () => {
  const played = onFox().keys("R");
  assert.equal(played.keys("enter").effect("perform"), undefined);
  played.keys("R").type("-2").keys("enter");
  assert.deepEqual(played.effect("perform")?.verb, { verb: "session-rename", id: "fox", name: "fox-2" });
  assert.equal(played.model.overlay, null);
});

test("m: to the newest server, and says when it is there", () => {
  const played = onFox();
  assert.deepEqual(played.keys("m").effect("perform")?.verb, { verb: "session-move", id: "fox", to: "frozen" });
  played.servers(server("frozen", [session("fox")]), server("blazing", []));
  assert.equal(played.keys("m").effect("perform"), undefined);
  assert.match(played.model.message?.text ?? "", /on the newest server \(frozen\)/);
});

test("r: resumes what has ended; of a live one says so", () => {
  const played = onFox().keys("r");
  assert.match(played.model.message?.text ?? "", /fox runs/);
  const over = session("bear", { state: "saved", status: "stopped", stopped_at: at(5_000) });
  played
    .keys(".")
    .do({ type: "ended-loaded", sessions: [over] })
    .keys("/")
    .type("bear")
    .keys("enter");
  assert.deepEqual(played.keys("r").effect("perform")?.verb, { verb: "session-resume", id: "bear" });
  assert.match(played.keys("enter").model.message?.text ?? "", /bear has ended; r resumes it/);
});

test("U and /reload: the server of what is selected, else that of new sessions", () => {
  const played = onFox();
  const wanted = { verb: "session-reload", server: played.model.sessions.byId.get("fox")?.server };
  assert.deepEqual(played.keys("U").effect("perform")?.verb, wanted);
  assert.deepEqual(onFox().keys("/").type("reload").keys("enter").effect("perform")?.verb, wanted);
  const onNew = onFox().keys("g").keys("U");
  assert.deepEqual(onNew.effect("perform")?.verb, { verb: "session-reload", server: "frozen" });
  assert.equal(onFox().keys("/").type("reloa").keys("enter").effect("perform"), undefined);
});

test("y: copies the name", () => {
  assert.equal(onFox().keys("y").effect("copy")?.text, "fox");
});

test("search: while typing the cursor stands on the best match, and escape goes back", () => {
  const played = onFox().keys("/").type("production");
  assert.equal(played.model.selectedId, "owl");
  assert.equal(played.keys("esc").model.selectedId, "fox");
  assert.equal(played.keys("/").type("npm run").keys("enter").model.selectedId, "1aa", "commands of jobs too");
  assert.equal(played.keys("esc", "/").type("dply").keys("enter").model.selectedId, "owl", "letters that stand close");
  assert.equal(played.keys("esc", "/").type("wb").keys("enter").model.selectedId, "1aa");
});

test("search: a job of another directory is found, and all directories are shown", () => {
  const played = new Played().show(job("1aa"), job("1bb", { name: "far", workdir: "/elsewhere" }));
  assert.equal(played.keys("/").type("far").keys("enter").model.selectedId, "1bb");
  assert.equal(played.model.allDirectories, true);
});

test("palette and help: the verbs of what is selected", () => {
  const played = onFox();
  const ids = paletteMatches(played.model, "").map(({ id }) => id);
  for (const id of ["attach", "view", "stop-session", "rename", "move", "copy-name", "new-session", "ended"])
    assert.ok(ids.includes(id), id);
  assert.equal(ids.includes("stop"), false);
  const help = helpLines(played.model).map(([keys, title]) => `${keys} ${title}`);
  assert.equal(help.filter((line) => line.startsWith("s ")).length, 1);
});

test("panels of jobs cannot be focused while a session is selected", () => {
  const played = onFox();
  for (const key of ["2", "3", "4", "5", "tab", "shift-tab"]) assert.equal(played.keys(key).model.focus, "units", key);
});
