import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { DEPLOYED_FILE } from "../../config/gateway/deployed-file.ts";
import type { Artefact, Placement } from "../messages.ts";
import { changesTo, recordOf } from "./deployed-record.ts";

const artefactOf = (version: string): Artefact => ({
  ...{ worker: "api", version, dir: "workers/api", name: `api-${version}.mjs` },
  files: [`workers/api/bin/api-${version}.mjs`],
});
const placement = (files: string[], artefacts: Artefact[] = []): Placement => ({
  ...{ files, artefacts, by: "ann", keepCount: 3, timeoutMs: 1_000 },
});

/** A project that has had one deploy. */
function deployed(before: Placement) {
  const dir = mkdtempSync(join(tmpdir(), "warren-deployed-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  write(DEPLOYED_FILE, JSON.stringify(recordOf(before, "2026-11-22T00:00:00.000Z")));
  for (const path of [...before.files, ...before.artefacts.flatMap(({ files }) => files)]) write(path, "before");
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test("deployed: a worker that is not built any more, whose folder has its former artefacts, is placed and not taken away", async () => {
  using project = deployed(placement(["warren.yaml"], [artefactOf("aa11")]));
  const folder = ["workers/api/main.ts", "workers/api/bin/api", "workers/api/bin/api-aa11.mjs"];
  const { files, links, removed } = await changesTo(project.dir, placement(["warren.yaml", ...folder]));
  assert.deepEqual(files, [...folder, "warren.yaml", DEPLOYED_FILE]);
  assert.deepEqual([links, removed], [{}, []]);
});

test("deployed: what is included and is a worker's artefact as well is placed once, and its link is the artefact's", async () => {
  using project = deployed(placement(["warren.yaml"]));
  const [artefact] = [artefactOf("bb22")];
  const included = [...artefact.files, "workers/api/bin/api", "workers/api/bin/.api-bb22.json"];
  const { files, links, removed } = await changesTo(project.dir, placement(included, [artefact]));
  assert.deepEqual(files, [...artefact.files, "workers/api/bin/.api-bb22.json", DEPLOYED_FILE]);
  assert.deepEqual(links, { "workers/api/bin/api": "api-bb22.mjs" });
  assert.deepEqual(removed, ["warren.yaml"]);
});

test("deployed: what an earlier deploy has put there, and this one has not, is taken away", async () => {
  using project = deployed(placement(["warren.yaml", "old.txt"], [artefactOf("aa11")]));
  const { removed } = await changesTo(project.dir, placement(["warren.yaml"]));
  assert.deepEqual(removed.toSorted(), ["old.txt", "workers/api/bin/api", "workers/api/bin/api-aa11.mjs"]);
});
