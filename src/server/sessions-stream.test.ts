import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Session } from "../protocol/units.ts";
import type { RoutedEvent } from "../serving/subscriptions.ts";
import { SessionsStream } from "./sessions-stream.ts";

const session = (id: string, more: Partial<Session> = {}): Session =>
  ({ id, name: id, workdir: "/w", ...more }) as Session;

let dir = "";
let sessions: Session[] = [];
let told: RoutedEvent[] = [];
let changed: () => void = () => {};
let stream: SessionsStream;
let onTold: () => void = () => {};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "warren-sessions-stream-"));
  sessions = [session("fox")];
  told = [];
  stream = new SessionsStream({
    sessions: () => sessions,
    watch: (listener) => {
      changed = listener;
      return () => {
        changed = () => {};
      };
    },
    serversDir: dir,
    publish: (event) => {
      told.push(event);
      onTold();
    },
    nowMs: () => 1_000,
  });
});
afterEach(() => {
  stream.close();
  rmSync(dir, { recursive: true, force: true });
});

const said = (): string[] =>
  told.map(({ event }) => `${event.event} ${(event.data.session as Session)?.id ?? event.data.id ?? ""}`);
const next = (count: number): Promise<void> =>
  new Promise((resolve) => {
    onTold = () => void (told.length >= count && resolve());
    onTold();
  });

test("sessions stream: what changes is told once, and what changes with every byte is not", async () => {
  const { snapshot, seq } = stream.snapshot();
  assert.deepEqual([snapshot.sessions.map(({ id }) => id), snapshot.servers], [["fox"], []]);
  const leave = stream.joined();
  sessions = [session("fox", { state: "needs_you" }), session("owl")];
  changed();
  changed();
  await next(2);
  assert.deepEqual(said(), ["session_changed fox", "session_changed owl"]);
  sessions = [session("fox", { state: "needs_you", output_bytes: 9, active_at: "later" })];
  changed();
  await next(3);
  assert.deepEqual(said().slice(2), ["session_gone owl"]);
  assert.deepEqual(
    told.map(({ event }) => event.seq),
    [seq + 1, seq + 2, seq + 3],
  );
  leave();
});

test("sessions stream: who comes back gets what was missed, also what happened while nobody followed; or a snapshot", () => {
  const { seq } = stream.snapshot();
  sessions = [];
  assert.deepEqual(
    stream.after(seq, 10)?.map(({ event }) => event.event),
    ["session_gone"],
  );
  assert.deepEqual(told, [], "nobody follows");
  assert.deepEqual(stream.after(seq + 1, 10), []);
  assert.equal(stream.after(seq - 5, 10), undefined, "of a former generation");
  assert.equal(stream.after(seq + 99, 10), undefined);
});

test("sessions stream: servers that come are told of, and after the last follower nothing is watched", async () => {
  stream.snapshot();
  const leave = stream.joined();
  const entry = {
    format: 1,
    oldest_reader: 1,
    name: "old",
    icon: "x",
    version: "1",
    socket: "/s",
    started_at: "",
    primary: false,
    sessions: [{ id: "bear", name: "bear" }],
  };
  writeFileSync(join(dir, "old.json"), JSON.stringify(entry));
  await next(1);
  assert.deepEqual(told[0]?.event.data.servers, [
    { name: "old", icon: "x", version: "1", primary: false, sessions: ["bear"] },
  ]);
  leave();
  rmSync(join(dir, "old.json"));
  changed();
  assert.equal(told.length, 1);
});
