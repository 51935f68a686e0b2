import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { rsyncShell, shellCommand } from "./shell-words.ts";

test("shell words: a shell takes each word as it is", () => {
  const words = ["a b", "it's", "$HOME", '"', "`x`", "\\", "", "plain", "*", "line\nbreak"];
  const script = `for word in ${shellCommand(words)}; do printf '%s\\0' "$word"; done`;
  const said = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  assert.deepEqual(said.split("\0").slice(0, -1), words);
});

test("shell words: rsync's own rule for -e", () => {
  assert.equal(rsyncShell(["ssh", "-F", "/my dir/a", "-p", "22"]), 'ssh -F "/my dir/a" -p 22');
  assert.equal(rsyncShell(['a "b']), '"a ""b"');
});
