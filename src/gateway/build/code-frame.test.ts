import assert from "node:assert/strict";
import { test } from "node:test";
import { placeAt, placesIn } from "./code-frame.ts";
import { ProjectFixture } from "./project-fixture.ts";

test("places: of a stack those of the project, each once, none of packages, artefacts, or files that are not there", async () => {
  await using project = await ProjectFixture.make();
  const main = await project.write("workers/api/src/main.ts", "a\nb\nc\n");
  await project.write("node_modules/left/main.js", "a\n");
  await project.write("workers/api/bin/api-1.mjs", "a\n");
  const stack = `Error: at 10:20:30 it broke
    at fails (${main}:2:1)
    at file://${main}:3:1
    at again (${main}:2:9)
    at left (${project.path("node_modules/left/main.js")}:1:1)
    at ${project.path("workers/api/bin/api-1.mjs")}:1:1
    at gone (${project.path("workers/api/src/gone.ts")}:1:1)
    at node:internal/main:1:1`;
  const places = placesIn(stack, { dir: project.path("workers/api"), projectDir: project.dir });
  assert.deepEqual(
    places.map(({ file, line, column, message }) => [file, line, column, message.split(" (")[0]]),
    [
      ["workers/api/src/main.ts", 2, 1, "at fails"],
      ["workers/api/src/main.ts", 3, 1, `at file://${main}:3:1`],
    ],
  );
  assert.deepEqual(places[0]?.frame, ["  1 │ a", "> 2 │ b", "    │ ^", "  3 │ c", "  4 │ "]);
});

test("places: an address that is of no file here is none, and the line behind it is read", async () => {
  await using project = await ProjectFixture.make();
  const main = await project.write("workers/api/src/main.ts", "a\n");
  const said = ["file://config/app.yaml:12:3", "file:///a%2Fb.ts:1:1", "file:///100%.ts:1:1", `file://${main}:1:1`];
  const places = placesIn(said.join("\n"), { dir: project.path("workers/api"), projectDir: project.dir });
  assert.deepEqual(
    places.map(({ file }) => file),
    ["workers/api/src/main.ts"],
  );
});

test("places: a line that is not there, or far too long, makes no frame of it", async () => {
  await using project = await ProjectFixture.make();
  const path = await project.write("a.js", `${"x".repeat(10_000)}\n`);
  const at = (line: number, column: number) => placeAt({ path, line, column, message: "m" }, project.dir).frame;
  assert.deepEqual(at(9, 1), []);
  assert.ok(at(1, 5_000).every((line) => line.length < 250));
});
