import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ATTACKS } from "./remote-attacks/all.ts";

/** The names of the tests that there are, by file, as far as they can be read without running them. */
const ROOT = join(import.meta.dirname, "..", "..");
/** Those whose names are made of a table. */
const MADE: Readonly<Record<string, () => readonly string[]>> = {
  "test/remote-attacks.test.ts": () => ATTACKS.map(({ name }) => name),
};
const NAMED = /\btest\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;

export function namedTests(): Map<string, readonly string[]> {
  const files = globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: ROOT });
  return new Map(
    files.map((file) => {
      const written = [...readFileSync(join(ROOT, file), "utf8").matchAll(NAMED)].map(([, , name]) => unquoted(name!));
      return [file, [...written, ...(MADE[file]?.() ?? [])]];
    }),
  );
}

const unquoted = (text: string): string => text.replaceAll(/\\(["'`\\])/g, "$1");
