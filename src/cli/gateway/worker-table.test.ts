import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "../../protocol/gateway-units.ts";
import { widthOf } from "../render/text-width.ts";
import { memoryOutput } from "../testing/memory-output.ts";
import { workerLines } from "./worker-table.ts";

const instance = (id: string, state: Worker["instances"][number]["state"], port: number) => ({
  id,
  version: "0123456789ab",
  state,
  port,
});
const worker = (name: string, fields: Partial<Worker> = {}): Worker => ({
  name,
  kind: "worker",
  type: "command",
  route: `/${name}`,
  state: "healthy",
  version: "0123456789ab",
  instances: [instance("a", "healthy", 9000), instance("b", "healthy", 9001), instance("c", "standby", 9002)],
  requests: 123_456,
  failed: 12,
  ...fields,
});
const twelve = Array.from({ length: 12 }, (_, at) => worker(`worker-number-${at}`));

test("workers: in a pipe everything is told", () => {
  const lines = workerLines(memoryOutput({ columnCount: 80 }), twelve);
  assert.equal(lines.length, 13);
  assert.match(
    lines[1]!,
    /^\/worker-number-0 .* command .* 0123456789ab {2}2 healthy :9000 :9001, 1 standby :9002 {2}123456, 12 failed$/,
  );
});

test("workers: on a terminal no line is longer than it, and name, state and instances stay", () => {
  for (const columnCount of [200, 80, 60]) {
    const lines = workerLines(memoryOutput({ terminal: true, columnCount }), twelve);
    for (const line of lines) assert.ok(widthOf(line) <= columnCount, `${columnCount}: ${line}`);
    assert.match(lines[1]!, /worker-number-0.*healthy.*2 healthy/);
  }
});

test("workers: an answer without requests has no column of them", () => {
  const { requests: _, failed: __, ...bare } = worker("api");
  assert.doesNotMatch(workerLines(memoryOutput(), [bare])[0]!, /REQUESTS/);
});
