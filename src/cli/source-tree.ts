import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The checkout that holds `dir`; undefined elsewhere. */
export function sourceTreeOf(dir: string): string | undefined {
  for (let root = dir; ; root = dirname(root)) {
    if (existsSync(join(root, "src", "cli", "main.ts")) && existsSync(join(root, "scripts", "build.mjs")))
      return isWarren(join(root, "package.json")) ? root : undefined;
    if (root === dirname(root)) return undefined;
  }
}

function isWarren(path: string): boolean {
  try {
    return JSON.parse(readFileSync(path, "utf8")).name === "warren";
  } catch {
    return false;
  }
}
