import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../platform/clock.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { removeUnfinished } from "./unfinished-files.ts";

const HOUR_S = 3_600;

test("unfinished files: what killed writers have left goes, what may still be written and everything else stays", async () => {
  const home = mkdtempSync(join(tmpdir(), "warren-home-"));
  try {
    const places = resolvePlaces({ WARREN_HOME: home });
    const dirs = [places.remoteDir, places.serversDir, join(places.sessionsDir, "a1"), join(places.gatewayDir, "b2")];
    const old = Date.now() / 1_000 - HOUR_S;
    for (const dir of [home, ...dirs]) {
      mkdirSync(dir, { recursive: true });
      for (const name of ["left.json.0a1b.tmp", "kept.json", "fresh.json.9f.tmp"]) {
        writeFileSync(join(dir, name), "{}");
        if (!name.startsWith("fresh")) utimesSync(join(dir, name), old, old);
      }
    }
    const runtime = join(places.buildsDir, "runtime-v26.0.0");
    for (const path of ["abc.1234.tmp", "def.5678.tmp", "012", "runtime-v26.0.0"])
      mkdirSync(join(places.buildsDir, path), { recursive: true });
    writeFileSync(join(places.buildsDir, "abc.1234.tmp", "server.js"), "");
    writeFileSync(join(runtime, "node.1234.tmp"), "");
    for (const path of [
      join(places.buildsDir, "abc.1234.tmp"),
      join(places.buildsDir, "012"),
      join(runtime, "node.1234.tmp"),
    ])
      utimesSync(path, old, old);
    await removeUnfinished(places, systemClock);
    assert.deepEqual(readdirSync(places.buildsDir).sort(), ["012", "def.5678.tmp", "runtime-v26.0.0"]);
    assert.deepEqual(readdirSync(runtime), []);
    for (const dir of [home, ...dirs])
      assert.deepEqual(
        readdirSync(dir).filter((name) => name.includes(".")),
        ["fresh.json.9f.tmp", "kept.json"],
        dir,
      );
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("unfinished files: a home without most of its places is no error", async () => {
  const home = mkdtempSync(join(tmpdir(), "warren-home-"));
  try {
    await removeUnfinished(resolvePlaces({ WARREN_HOME: home }), systemClock);
    assert.deepEqual(readdirSync(home), []);
  } finally {
    rmSync(home, { recursive: true });
  }
});
