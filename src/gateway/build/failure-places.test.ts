import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FrontWorker } from "../../protocol/front-messages.ts";
import { withFailurePlaces } from "./failure-places.ts";

test("failure places: those of the project that a stack names, the first of them; a build's own stay", () => {
  const projectDir = mkdtempSync(join(tmpdir(), "warren-places-"));
  try {
    const dir = join(projectDir, "workers/api");
    const main = join(dir, "src/main.ts");
    mkdirSync(join(dir, "src"), { recursive: true });
    writeFileSync(main, Array.from({ length: 9 }, (_, at) => `line ${at + 1}`).join("\n"));
    const output = [
      "Error: no database",
      `    at connect (${main}:3:2)`,
      "    at Module.run (node:internal/modules:1:1)",
      ...[4, 5, 6].map((line) => `    at ${main}:${line}:1`),
    ];
    const failure = { worker: "api", at: "T", phase: "start" as const, message: "no database", places: [], output };
    const worker: FrontWorker = { name: "api", kind: "http", state: "failed", instances: [], isLive: true, failure };
    const shown = withFailurePlaces(worker, { dir, projectDir }).failure!.places;
    assert.deepEqual(
      shown.map(({ file, line }) => [file, line]),
      [3, 4, 5].map((line) => ["workers/api/src/main.ts", line]),
    );
    assert.ok(shown[0]!.frame.includes("> 3 │ line 3"), shown[0]!.frame.join("\n"));
    const built = { ...worker, failure: { ...failure, phase: "build" as const, places: shown.slice(1) } };
    assert.equal(withFailurePlaces(built, { dir, projectDir }), built);
    const { failure: _, ...healthy } = worker;
    assert.equal(withFailurePlaces(healthy, { dir, projectDir }), healthy);
  } finally {
    rmSync(projectDir, { recursive: true });
  }
});
