import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { thisInstallation } from "./harness/build-copy.ts";

/** What a phone fetches before it shows anything; without the terminal, which comes when one is opened. */
const FIRST_LOAD_BYTES_MAX = 150_000;

test("web: the first load is small, and nothing of the terminal is in it", () => {
  const dir = join(thisInstallation().build.dir, "web");
  const read = (name: string): Buffer => readFileSync(join(dir, name));
  const page = read("index.html").toString();
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    if (!name.endsWith(".js")) return;
    // What is imported at once: import"./chunks/…" and from"./chunks/…", not import("…").
    for (const [, path] of read(name)
      .toString()
      .matchAll(/(?:import|from)\s*"\.\/([^"]+\.js)"/g))
      want(path!.startsWith("chunks/") ? path! : `chunks/${path}`);
  };
  for (const [, name] of page.matchAll(/(?:href|src)="\/([^"]+\.(?:js|css))"/g)) want(name!);
  assert.ok(wanted.size >= 2, "the page names its script and its style");
  const bytes = ["index.html", ...wanted].reduce((sum, name) => sum + gzipSync(read(name)).length, 0);
  assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes, gzip: ${[...wanted].join(" ")}`);
  const terminal = readdirSync(join(dir, "chunks")).filter((name) => read(`chunks/${name}`).includes("xterm-helper"));
  assert.ok(terminal.length > 0, "the terminal is a chunk");
  for (const name of terminal) assert.ok(!wanted.has(`chunks/${name}`), "which is loaded later");
});
