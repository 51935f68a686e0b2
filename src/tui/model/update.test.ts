import assert from "node:assert/strict";
import { test } from "node:test";
import { at, ended, job, Played, run } from "../../../test/tui/played.ts";
import { COMMANDS } from "./commands.ts";
import { helpLines } from "./help.ts";
import { layoutOf } from "./layout.ts";
import type { Overlay } from "./model.ts";
import { paletteMatches } from "./palette.ts";
import { score } from "./score.ts";
import { INPUT_CHARACTERS_MAX } from "./text-input.ts";

const overlayOf = (played: Played): Overlay | null => played.model.overlay;

test("verbs: s stops, S kills, r restarts, space starts what has ended, from any panel", () => {
  const played = new Played().show(job("1aa", { name: "web" }), ended("1bb"));
  for (const panel of ["1", "2", "3", "4", "5"]) {
    assert.deepEqual(played.keys(panel, "s").effect("perform")?.verb, { verb: "stop", jobId: "1aa" });
  }
  assert.deepEqual(played.keys("S").effect("perform")?.verb, { verb: "kill", jobId: "1aa" });
  assert.deepEqual(played.keys("r").effect("perform"), {
    kind: "perform",
    verb: { verb: "restart", jobId: "1aa" },
    label: "web",
  });
  assert.equal(played.keys("space").effect("perform"), undefined);
  assert.match(played.model.message?.text ?? "", /web runs already/);
  assert.deepEqual(played.keys("1", "j", "space").effect("perform")?.verb, { verb: "start", jobId: "1bb" });
});

test("remove: asks once, does it at the second d, and any other key forgets it", () => {
  const played = new Played().show(ended("1aa", 0, { run_count: 3 }), ended("1bb")).keys("d");
  assert.equal(played.effect("perform"), undefined);
  assert.match(played.model.message?.text ?? "", /press d again: remove 1aa with 3 runs and their logs/);
  played.keys("j", "k", "d");
  assert.equal(played.effect("perform"), undefined, "moving away forgot it");
  assert.deepEqual(played.keys("d").effect("perform")?.verb, { verb: "remove", jobId: "1aa" });
});

test("remove: the question goes with its message", () => {
  const played = new Played().show(ended("1aa")).keys("d");
  played.do({ type: "message-expired", id: played.model.message!.id });
  assert.equal(played.keys("d").effect("perform"), undefined);
});

test("remove: of what runs says what to do first; in panel 3 it is the run that goes", () => {
  const played = new Played().show(job("1aa"));
  assert.match(played.keys("d").model.message?.text ?? "", /1aa is running; s stops it first/);
  const runs = [run("1aa-2", { status: "running", state: "running", outcome: null, started_at: at(0) }), run("1aa-1")];
  played.do({ type: "runs-loaded", jobId: "1aa", runs }).keys("3", "j", "d", "d");
  assert.deepEqual(played.effect("perform")?.verb, { verb: "remove-run", runId: "1aa-1" });
});

test("runs: an older run is looked at, the newest one is followed", () => {
  const played = new Played().show(job("1aa", { run_id: "1aa-2", stdout_path: "/logs/1aa-2.stdout.log" }));
  const runs = [run("1aa-1"), run("1aa-2", { started_at: at(0) })];
  played.do({ type: "runs-loaded", jobId: "1aa", runs });
  assert.deepEqual(
    played.model.runs.map(({ id }) => id),
    ["1aa-2", "1aa-1"],
    "newest first",
  );
  played.keys("3", "j");
  assert.equal(played.model.panes.stdout.source?.runId, "1aa-1");
  const third = run("1aa-3", { started_at: at(-10) });
  played.event("run_started", job("1aa", { run_id: "1aa-3", stdout_path: "/logs/1aa-3.stdout.log" }), { run: third });
  assert.equal(played.model.panes.stdout.source?.runId, "1aa-1", "what is looked at stays");
  played.keys("g");
  assert.equal(played.model.panes.stdout.source?.runId, "1aa-3");
});

test("runs: a removed run gives its place to the newest", () => {
  const played = new Played().show(job("1aa", { run_id: "1aa-2", stdout_path: "/logs/1aa-2.stdout.log" }));
  played
    .do({ type: "runs-loaded", jobId: "1aa", runs: [run("1aa-2", { started_at: at(0) }), run("1aa-1")] })
    .keys("3", "j");
  played.do({
    type: "event",
    event: { event: "run_removed", stream: "jobs", seq: 3, job_id: "1aa", data: { run: run("1aa-1") } },
    nowMs: 0,
  });
  assert.equal(played.model.panes.stdout.source?.runId, "1aa-2");
});

test("focus: digits, tab and shift-tab go round; enter opens the output and escape comes back", () => {
  const played = new Played().show(job("1aa"));
  assert.equal(played.keys("shift-tab").model.focus, "stderr");
  assert.equal(played.keys("tab", "tab").model.focus, "ports");
  assert.equal(played.keys("1", "enter").model.focus, "stdout");
  assert.equal(played.keys("esc").model.focus, "units");
});

test("new job: types, edits, pastes, is bounded, and asks the server", () => {
  const played = new Played().show().keys("n").type("npm run devv").keys("backspace");
  played.keys("home").type("x").keys("backspace").keys("enter");
  assert.deepEqual(played.effect("perform")?.verb, { verb: "add", commandLine: "npm run dev" });
  assert.equal(played.model.overlay, null);
  played.keys("n").do({ type: "paste", text: `${"y".repeat(1_000)}\n` });
  const overlay = overlayOf(played) as Extract<Overlay, { kind: "new-job" }>;
  assert.equal(overlay.input.text.length, INPUT_CHARACTERS_MAX);
  assert.equal(played.keys("esc").model.overlay, null);
  assert.equal(played.keys("n", "enter").effect("perform"), undefined, "an empty command starts nothing");
});

test("new job: is selected when the server says it started", () => {
  const played = new Played().show(job("1aa"));
  played.event("job_added", job("1bb")).do({ type: "done", text: "1bb started", selectId: "1bb" });
  assert.equal(played.model.selectedId, "1bb");
  assert.equal(played.model.message?.text, "1bb started");
});

test("n is the next match while a search is on, and a new job otherwise", () => {
  const played = new Played().show(job("1aa"), job("1bb", { name: "web-one" }), job("1cc", { name: "web-two" }));
  played.keys("/").type("web").keys("enter");
  assert.equal(played.model.selectedId, "1bb");
  assert.equal(played.keys("n").model.selectedId, "1cc");
  assert.equal(played.keys("n").model.selectedId, "1bb", "round the end");
  assert.equal(played.keys("N").model.selectedId, "1cc");
  played.keys("esc");
  assert.equal(played.model.search, null);
  assert.equal(played.keys("n").model.overlay?.kind, "new-job");
});

test("search in a log: upwards from the end while following, then n and N, then through the file", () => {
  const played = new Played().show(job("1aa")).log(500, 600, 1000).log(500, 600, 600).keys("4");
  played.keys("/").type("line 0590").keys("enter");
  assert.equal(played.model.panes.stdout.matchByte, 5900);
  assert.equal(played.model.panes.stdout.follow, false);
  played.keys("/").type("line 05").keys("enter");
  const first = played.model.panes.stdout.matchByte!;
  assert.equal(played.keys("n").model.panes.stdout.matchByte, first + 10);
  assert.equal(played.keys("N").model.panes.stdout.matchByte, first);
  played.keys("/").type("line 0007").keys("enter").keys("N");
  const found = played.effect("find-in-log");
  assert.deepEqual([found?.query, found?.direction, found?.fromByte], ["line 0007", -1, 5000]);
  const { source } = played.model.panes.stdout;
  played.do({ type: "log-found", panel: "stdout", source: source!, matchByte: 70 });
  assert.deepEqual(played.effect("read-log")?.range ?? played.model.panes.stdout.queued, { kind: "around", byte: 70 });
});

test("search: nothing found says so", () => {
  const played = new Played().show(job("1aa")).log(0, 10, 10).keys("4", "/").type("absent").keys("enter");
  assert.match(played.model.message?.text ?? "", /no other line holds "absent"/);
});

test("search: small letters match both cases, a capital only itself", () => {
  const played = new Played().show(job("1aa", { name: "api" }), job("1bb", { name: "Web" as string }));
  assert.equal(played.keys("/").type("web").keys("enter").model.selectedId, "1bb");
  played.keys("esc", "g", "/").type("API").keys("enter");
  assert.match(played.model.message?.text ?? "", /no unit holds "API"/);
});

test("palette: finds by letters, runs with enter, offers only what can be done now", () => {
  const played = new Played().show(ended("1aa"));
  assert.equal(
    paletteMatches(played.model, "").some(({ id }) => id === "stop"),
    false,
  );
  assert.equal(paletteMatches(played.model, "rest")[0]?.id, "restart");
  played.keys(":").type("rest").keys("enter");
  assert.deepEqual(played.effect("perform")?.verb, { verb: "restart", jobId: "1aa" });
  assert.equal(played.keys(":", "esc").model.overlay, null);
  played.keys(":").type("zzzz").keys("enter");
  assert.deepEqual(played.effects, []);
});

test("palette: every verb of the table is there for a running job", () => {
  const played = new Played().show(job("1aa"));
  played.model = { ...played.model, search: { panel: "units", query: "x" } };
  const offered = new Set(paletteMatches(played.model, "").map(({ id }) => id));
  const hidden = COMMANDS.filter(({ id, unit }) => !offered.has(id) && (unit ?? "job") === "job").map(({ id }) => id);
  assert.deepEqual(hidden, ["start", "palette"]);
});

test("score: begins of words and neighbours count more", () => {
  assert.ok(score("restart", "rst") > 0);
  assert.equal(score("restart", "tsr"), 0);
  assert.ok(score("stop", "sto") > score("go to stdout", "sto"));
});

test("help: the keys of the panel that has the focus, and only those", () => {
  const played = new Played().show(job("1aa"));
  const titles = (): string =>
    helpLines(played.model)
      .map(([, title]) => title)
      .join("\n");
  assert.doesNotMatch(titles(), /wrap/);
  played.keys("4");
  assert.match(titles(), /wrap/);
  assert.doesNotMatch(titles(), /scroll stdout from here/);
  played.keys("?");
  assert.equal(played.model.overlay?.kind, "help");
  assert.equal(played.keys("x").model.overlay, null, "any key closes it");
});

test("copy: command, port, run, lines", () => {
  const port = { port: 3000, protocol: "tcp", pid: 1, address: "127.0.0.1" } as const;
  const played = new Played().show(job("1aa", { command: ["echo", "a b"], ports: [port] }));
  assert.equal(played.keys("c").effect("copy")?.text, "echo 'a b'");
  assert.equal(played.keys("2", "y").effect("copy")?.text, "localhost:3000");
  played.do({ type: "runs-loaded", jobId: "1aa", runs: [run("1aa-1")] });
  assert.equal(played.keys("3", "y").effect("copy")?.text, "1aa-1");
  played.log(0, 2, 2);
  assert.equal(played.keys("4", "y").effect("copy")?.text, "line 0000\nline 0001\n");
});

test("mouse: wheel scrolls what is under it by three and leaves the focus; a click focuses and selects", () => {
  const jobs = Array.from({ length: 40 }, (_, index) => job(`1${String(index).padStart(2, "0")}`));
  const played = new Played().show(...jobs).log(0, 100, 100);
  const { units, stdout } = layoutOf(played.model)!.panels;
  played.do({ type: "mouse", mouse: { kind: "wheel", x: stdout!.x + 3, y: stdout!.y + 3, lines: -3 } });
  assert.equal(played.model.panes.stdout.follow, false);
  assert.equal(played.model.focus, "units");
  played.do({ type: "mouse", mouse: { kind: "wheel", x: 3, y: units!.y + 2, lines: 3 } });
  assert.equal(played.model.lists.units.top, 3);
  assert.equal(played.model.selectedId, "100", "the wheel does not select");
  played.do({ type: "mouse", mouse: { kind: "press", x: 3, y: units!.y + 1 + 2 } });
  assert.equal(played.model.selectedId, "104", "the line for a new session is above them");
  played.do({ type: "mouse", mouse: { kind: "press", x: stdout!.x + 1, y: stdout!.y + 1 } });
  assert.equal(played.model.focus, "stdout");
});

test("mouse: dragging over a log copies its lines; a click copies nothing", () => {
  const played = new Played().show(job("1aa")).log(0, 10, 10);
  const { stdout } = layoutOf(played.model)!.panels;
  const on = (kind: "press" | "drag" | "release", row: number): Played =>
    played.do({ type: "mouse", mouse: { kind, x: stdout!.x + 5, y: stdout!.y + 1 + row } });
  on("press", 2);
  on("release", 2);
  assert.equal(played.effect("copy"), undefined);
  on("press", 4);
  on("drag", 3);
  on("drag", 2);
  on("release", 2);
  assert.equal(played.effect("copy")?.text, "line 0002\nline 0003\nline 0004\n");
  assert.equal(played.model.message?.text, "3 lines copied");
});

test("layout: 60×15 holds all that matters, less says no", () => {
  const played = new Played(60, 15).show(job("1aa", { description: "x" }));
  const { panels } = layoutOf(played.model)!;
  assert.deepEqual(Object.keys(panels).sort(), ["runs", "stderr", "stdout", "units"]);
  assert.ok(panels.units!.height >= 9);
  played.keys("2");
  assert.ok(layoutOf(played.model)!.panels.ports, "the focused detail is the one shown");
  assert.equal(layoutOf(played.do({ type: "resize", columns: 59, rows: 15 }).model), undefined);
});

test("layout: stderr grows with the focus; panels cover the column whole at every size", () => {
  const played = new Played().show(job("1aa", { description: "x" }));
  const small = layoutOf(played.model)!.panels.stderr!.height;
  assert.ok(layoutOf(played.keys("5").model)!.panels.stderr!.height > 3 * small);
  for (let rows = 15; rows < 70; rows++) {
    for (const columns of [60, 80, 99, 100, 160, 300]) {
      const { panels } = layoutOf(played.do({ type: "resize", columns, rows }).model)!;
      const left = Object.values(panels).filter(({ x }) => x === 0);
      assert.equal(
        left.reduce((sum, { height }) => sum + height, 0),
        rows - 1,
        `${columns}×${rows}`,
      );
      assert.ok(
        left.every(({ height }) => height >= 3),
        `${columns}×${rows}`,
      );
    }
  }
});

test("messages: a later one replaces an earlier one, whose expiry then does nothing", () => {
  const played = new Played().do({ type: "failed", text: "one" });
  const { id } = played.model.message!;
  played.do({ type: "failed", text: "two" }).do({ type: "message-expired", id });
  assert.equal(played.model.message?.text, "two");
});

test("keys that mean nothing here leave the very same model", () => {
  const played = new Played().show(job("1aa"));
  const { model } = played;
  for (const key of ["z", "alt-s", "ctrl-x", "é", "delete"]) assert.equal(played.keys(key).model, model, key);
});

test("quit asks for nothing else", () => {
  assert.deepEqual(new Played().show(job("1aa")).keys("q").effects, [{ kind: "quit" }]);
});
