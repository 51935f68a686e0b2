import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** What is proposed to be typed is read in the sources: a path with a blank in it must stay one word in it, or another file is removed. */
const ROOT = join(import.meta.dirname, "..");

const QUOTED = /\$\{quoteWord\((?:[^`{}]|`[^`]*`)*\)\}/g;
/** A file command at the beginning of a template, or behind what ends a command or a clause; with a value among its words. */
const UNQUOTED = /(?<=[`:;&|] ?)(?:rm|mv|cp|mkdir|chmod|tail|cat|ls|ln|cd) [^`\n;&|#]*\$\{/g;

const unquotedIn = (text: string): string[] => text.replace(QUOTED, "QUOTED").match(UNQUOTED) ?? [];

test("proposed commands: a file command takes every value by quoteWord", () => {
  const files = globSync("src/**/*.{ts,tsx}", { cwd: ROOT }).filter(
    (file) => !/\.test\.tsx?$|-fixture\.tsx?$|\/testing\//.test(file),
  );
  assert.ok(files.length > 100, "the source was found");
  const wrong = files.flatMap((file) =>
    unquotedIn(readFileSync(join(ROOT, file), "utf8")).map((command) => `${file}: ${command}`),
  );
  assert.deepEqual(wrong, []);
});
