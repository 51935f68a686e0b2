import assert from "node:assert/strict";
import { appendFileSync, existsSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { type GatewayEvent, GatewayEventFile } from "./event-file.ts";

const seqs = (events: readonly GatewayEvent[] | undefined): number[] | undefined => events?.map(({ seq }) => seq);

test("events: numbers go on after a restart, behind a line that was cut off; what is gone is said to be", async () => {
  const dir = await mkdtemp(join(tmpdir(), "warren-gateway-events-"));
  const path = join(dir, "gateway", "events.jsonl");
  const told: GatewayEvent[] = [];
  const open = (): GatewayEventFile =>
    new GatewayEventFile({ path, log: silentLog, onEvent: (event) => told.push(event) });
  try {
    const first = open();
    assert.equal(existsSync(path), false, "nothing is read or made before it is needed");
    assert.deepEqual([first.seq, seqs(first.after(0, 10))], [0, []]);
    for (const type of ["built", "switched", "recovered"] as const) first.add(type, "/site", { type });
    assert.deepEqual(seqs(first.after(1, 10)), [2, 3]);
    assert.deepEqual(seqs(first.after(0, 2)), [1, 2]);
    appendFileSync(path, '{"seq":4,"at":"cut o');

    const second = open();
    assert.deepEqual([second.seq, seqs(second.after(0, 10))], [3, [1, 2, 3]]);
    second.add("mode_changed", "/site", {});
    assert.deepEqual(seqs(open().after(2, 10)), [3, 4]);
    assert.deepEqual(
      told.map(({ seq, type }) => [seq, type]),
      [
        [1, "built"],
        [2, "switched"],
        [3, "recovered"],
        [4, "mode_changed"],
      ],
    );

    const filler = { text: "x".repeat(10_000) };
    for (let count = 0; count < 330; count++) second.add("build_started", "/site", filler);
    assert.equal(second.seq, 334);
    assert.equal(second.after(0, 10), undefined, "the first are gone");
    assert.deepEqual(seqs(second.after(332, 10)), [333, 334]);
    for (const file of [path, `${path}.1`]) assert.ok(statSync(file).size < 1.1 * 1024 * 1024, file);
    assert.deepEqual(seqs(open().after(332, 10)), [333, 334]);
    assert.equal(second.after(335, 10), undefined, "there was no such event");
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("events: while the disk takes none, the oldest are forgotten, and that is said", async () => {
  const dir = await mkdtemp(join(tmpdir(), "warren-gateway-events-"));
  const events = new GatewayEventFile({
    path: join(dir, "gateway", "events.jsonl"),
    log: silentLog,
    onEvent: () => {},
  });
  try {
    events.add("built", "/site", {});
    await rm(join(dir, "gateway"), { recursive: true });
    for (let count = 0; count < 20_000; count++) events.add("built", "/site", {});
    assert.equal(events.after(0, 10), undefined);
    assert.deepEqual(seqs(events.after(1, 2)), [2, 3]);
    assert.deepEqual(seqs(events.after(20_000, 2)), [20_001]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
