import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Inherits descriptor 251, closes what is not kept, and says whether a child of its own still gets it. */
const script = (keep: string) => `
  const { closeInheritedDescriptors } = await import(${url("./descriptors.ts")});
  const { spawnSync } = await import("node:child_process");
  const closed = closeInheritedDescriptors(${keep});
  const look = "[ -e /proc/$$/fd/251 ] && echo open || echo closed";
  const seen = spawnSync("sh", ["-c", look], { encoding: "utf8" }).stdout.trim();
  console.log(JSON.stringify({ closed: closed.includes(251), seen }));`;

async function inherited(keep: string) {
  const command = [process.execPath, "--input-type=module", "-e", script(keep)];
  const { stdout } = await run("bash", ["-c", 'exec 251</dev/null; exec "$@"', "bash", ...command]);
  return JSON.parse(stdout) as { closed: boolean; seen: string };
}

const SKIP = process.platform === "linux" ? false : "only Linux tells which descriptors were inherited";

test("descriptors: what was inherited unasked is closed and reaches no child", { skip: SKIP }, async () => {
  assert.deepEqual(await inherited("[]"), { closed: true, seen: "closed" });
});

test("descriptors: what is to be kept stays", { skip: SKIP }, async () => {
  assert.deepEqual(await inherited("[251]"), { closed: false, seen: "open" });
});
