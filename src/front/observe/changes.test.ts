import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrontWorker } from "../../protocol/front-messages.ts";
import { Changes } from "./changes.ts";

const clock = (now: { ms: number }) => ({ wallMs: () => now.ms, monotonicMs: () => now.ms, timer: () => () => {} });

const worker = (version: string | undefined, more: Partial<FrontWorker> = {}): FrontWorker => ({
  name: "api",
  kind: "http",
  state: "serving",
  instances: version === undefined ? [] : [{ id: `api-${version}`, version, host: "127.0.0.1", port: 9000 }],
  isLive: true,
  ...more,
});

const failing = (at: string): FrontWorker =>
  worker(undefined, {
    state: "failed",
    failure: { worker: "api", at, phase: "build", message: `bad ${at}`, places: [], output: [] },
  });

test("changes: a new version, how long requests waited for it, a failure, the way back, an end", () => {
  const now = { ms: 1_000 };
  const changes = new Changes(clock(now));
  const tell = (...workers: FrontWorker[]) => changes.applyTable({ workers });
  const kinds = () => changes.newestFirst().map(({ kind }) => kind);
  tell(worker("v1"));
  assert.deepEqual(kinds(), [], "what is there at first is no change");
  tell(worker("v1", { state: "held" }));
  now.ms = 1_050;
  tell(worker("v2", { state: "held" }));
  now.ms = 1_120;
  tell(worker("v2"));
  assert.deepEqual(changes.newestFirst(), [
    { kind: "serving", worker: "api", atMs: 1_120, version: "v2", before: "v1", heldMs: 120 },
  ]);
  tell(worker("v2", { state: "held" }));
  tell(worker("v2"));
  assert.deepEqual(kinds(), ["serving"], "held for nothing");
  tell(failing("T1"));
  tell(failing("T1"));
  tell(worker("v2", { state: "held" }));
  tell(failing("T2"));
  tell(worker("v2"));
  assert.deepEqual(kinds(), ["back", "failed", "failed", "serving"]);
  tell(worker(undefined, { state: "gone", reason: "stopped" }));
  tell(worker(undefined, { state: "gone", reason: "stopped" }));
  tell();
  assert.deepEqual(kinds().slice(0, 2), ["removed", "gone"]);
});

test("changes: what has no version comes once; the oldest give way", () => {
  const changes = new Changes(clock({ ms: 0 }));
  changes.applyTable({ workers: [] });
  const files = worker(undefined, { name: "files", kind: "static" });
  for (let at = 0; at < 3; at++) changes.applyTable({ workers: [files] });
  assert.equal(changes.newestFirst().length, 1);
  for (let at = 0; at < 200; at++) changes.applyTable({ workers: [files, worker(`v${at}`)] });
  assert.equal(changes.newestFirst().length, 50);
  const [last] = changes.newestFirst();
  assert.equal(last?.kind === "serving" && last.version, "v199");
});
