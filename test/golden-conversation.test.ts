import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  encodePosition,
  encodeTerminalFrame,
  TERMINAL_FRAME,
  TerminalFrameSplitter,
} from "../src/protocol/terminal-frames.ts";
import { temporaryHome } from "./harness/home.ts";
import { RawConnection, socketOf } from "./harness/raw-connection.ts";
import { missingIn, type Shape, shapeOf } from "./harness/shape.ts";
import { waitUntil } from "./harness/wait-until.ts";

/**
 * What a client of protocol 1 says, and what it was answered when that was released: played again to the server of today, every field that it may rely on
 * has to be there, of the same type. `WARREN_RECORD=1` writes the file where a step has none; a step that is there is never written again.
 */
const FILE = join(import.meta.dirname, "golden", "protocol-1.json");
const TIMEOUT_MS = 60_000;

type Recorded = Record<string, Shape>;
const recorded: Recorded = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
const isRecording = process.env.WARREN_RECORD === "1";

/** Compares, or records what is new. */
function check(step: string, answer: unknown): void {
  const shape = shapeOf(answer);
  const golden = recorded[step];
  if (golden === undefined && isRecording) recorded[step] = shape;
  else assert.ok(golden !== undefined, `${step} is not in ${FILE}: WARREN_RECORD=1 adds it`);
  if (golden === undefined) return;
  const problem = missingIn(shape, golden);
  assert.equal(problem, undefined, `a client of protocol 1 relies on it: ${step}: ${problem}`);
}

const STEPS: readonly [step: string, type: string, payload: object][] = [
  ["hello", "hello", { protocol: { min: 1, max: 1 }, client: "golden", version: "0.1.0" }],
  ["ping", "ping", {}],
  ["version", "version", {}],
  ["status", "status", {}],
  ["doctor", "doctor", {}],
  [
    "add",
    "add",
    { command: ["sh", "-c", "echo out; echo err >&2; exec sleep 1000"], name: "web", workdir: "$dir", env: ["A=1"] },
  ],
  ["list", "list", { workdir: "$dir" }],
  ["unit.list", "unit.list", {}],
  ["get_job", "get_job", { job_id: "web", workdir: "$dir" }],
  ["signal", "signal", { job_id: "web", workdir: "$dir", signal: "CONT" }],
  ["stop", "stop", { job_id: "web", workdir: "$dir", force: true }],
  ["wait", "wait", { job_id: "web", workdir: "$dir", conditions: [{ kind: "exit" }], timeout_ms: 10_000 }],
  ["runs", "runs", { job_id: "web", workdir: "$dir" }],
  ["why", "why", { job_id: "web", workdir: "$dir" }],
  ["ports", "ports", { job_id: "web", workdir: "$dir" }],
  ["start", "start", { job_id: "web", workdir: "$dir", env: ["A=1"] }],
  ["restart", "restart", { job_id: "web", workdir: "$dir", env: ["A=1"] }],
  ["remove refused", "remove", { job_id: "web", workdir: "$dir" }],
  ["stop_all", "stop_all", { workdir: "$dir", force: true }],
  ["cleanup", "cleanup", { workdir: "$dir" }],
  ["session.new", "session.new", { command: ["cat"], name: "fox", workdir: "$dir", env: ["PATH=/usr/bin:/bin"] }],
  ["session.list", "session.list", {}],
  ["session.get", "session.get", { session: "fox" }],
  ["session.send", "session.send", { session: "fox", data: "typed\n" }],
  [
    "session.wait",
    "session.wait",
    { session: "fox", conditions: [{ kind: "output", pattern: "typed" }], since: 0, timeout_ms: 10_000 },
  ],
  ["session.screen", "session.screen", { session: "fox" }],
  ["session.signal", "session.signal", { session: "fox", signal: "CONT" }],
  ["session.rename", "session.rename", { session: "fox", name: "otter" }],
  ["session.prompt of a terminal", "session.prompt", { session: "otter", text: "hello" }],
  ["session.remove of a live one", "session.remove", { session: "otter" }],
  ["session.get of none", "session.get", { session: "nobody" }],
];

const ENDING: typeof STEPS = [
  ["session.stop", "session.stop", { session: "otter", force: true }],
  ["session.list of saved ones", "session.list", { saved: true }],
  ["session.resume", "session.resume", { session: "otter" }],
  ["session.stop again", "session.stop", { session: "otter", force: true }],
  ["session.remove", "session.remove", { session: "otter" }],
];

test("golden: what protocol 1 was answered, it still is", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assert.equal((await house.warren(["serve"])).status, 0);
  using raw = await RawConnection.open(house);
  using events = await RawConnection.open(house);
  const play = async (steps: typeof STEPS): Promise<void> => {
    for (const [step, type, payload] of steps) {
      const sent = JSON.parse(JSON.stringify(payload).replaceAll('"$dir"', JSON.stringify(house.dir)));
      const { id: _, ...answer } = await raw.ask(type, sent);
      check(step, answer);
      if (step === "add") await isWritten();
    }
  };
  // What it is stopped for would have come too early otherwise: `why` shows its last words.
  const isWritten = async (): Promise<void> => {
    const conditions = [{ kind: "log", pattern: "err" }];
    const answer = await raw.ask("wait", { job_id: "web", workdir: house.dir, conditions, timeout_ms: 10_000 });
    assert.equal(answer.success, true, JSON.stringify(answer));
  };
  const { id: _, ...subscribed } = await events.ask("subscribe", { streams: ["jobs"] });
  check("subscribe", subscribed);
  await play(STEPS);
  for (const name of ["job_added", "run_started", "run_stopped", "job_removed"])
    check(`event ${name}`, await events.next(({ event }) => event === name));
  for (const [name, frames] of await attached(socketOf(house))) check(name, frames);
  await play(ENDING);
  if (isRecording) writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`);
});

/** Attaches by hand, types a line, and reads until it is echoed: the answer, and what each kind of frame held. */
async function attached(path: string): Promise<[string, unknown][]> {
  const socket = net.connect(path);
  const splitter = new TerminalFrameSplitter();
  const frames = new Map<number, Buffer>();
  let lines = Buffer.alloc(0);
  let answer: unknown;
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    let rest: Uint8Array = bytes;
    if (answer === undefined) {
      lines = Buffer.concat([lines, bytes]);
      const end = lines.indexOf("\n");
      if (end === -1) return;
      answer = JSON.parse(lines.subarray(0, end).toString());
      rest = lines.subarray(end + 1);
    }
    for (const { type, payload } of splitter.push(rest))
      frames.set(type, Buffer.concat([frames.get(type) ?? Buffer.alloc(0), payload]));
  });
  const attach = { session: "otter", client: "0123456789abcdef", cols: 80, rows: 24 };
  socket.write(`${JSON.stringify({ id: 1, type: "session.attach", payload: attach })}\n`);
  await waitUntil(() => frames.has(TERMINAL_FRAME.screen), { what: "the first screen" });
  socket.write(encodeTerminalFrame(TERMINAL_FRAME.input, encodePosition(0), Buffer.from("hello\n")));
  await waitUntil(() => frames.get(TERMINAL_FRAME.output)?.includes("hello") && frames.has(TERMINAL_FRAME.ack), {
    what: "the echo and the receipt",
  });
  socket.destroy();
  const control = frames.get(TERMINAL_FRAME.control)!.toString();
  return [
    ["session.attach", answer],
    ["frame control", JSON.parse(control.slice(0, control.indexOf("}") + 1))],
    ["frame ack", { bytes: frames.get(TERMINAL_FRAME.ack)!.length }],
  ];
}
