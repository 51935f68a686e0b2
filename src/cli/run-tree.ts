import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import type { Context } from "./context.ts";

/**
 * In a checkout of Warren's own source, `warren` alone builds it and starts a session on the server of what was built: the server of that hash, or a
 * new one beside those that run. So whoever changes Warren always talks to the code that is before them, and what ran on the old code runs on.
 */

/** Builds the checkout; what was built before stays when that fails. @throws BUILD_FAILED */
export function buildTree(root: string): void {
  const result = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (result.status === 0) return;
  throw new WarrenError("BUILD_FAILED", `Warren could not be built: ${firstProblem(result)} Nothing was changed.`, {
    fix: `cd ${quoteWord(root)} && npm run build`,
  });
}

/** Runs the checkout's own `warren` with the terminal of this one; answers its exit status. */
export function runTree(root: string, args: readonly string[], { env }: Context): Promise<number> {
  const child = spawn(join(root, "bin", "warren"), args, { stdio: "inherit", env });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** esbuild names the file, line and column; that is what somebody who has just saved it wants to know. */
function firstProblem({ stderr, error }: SpawnSyncReturns<string>): string {
  const lines = `${error?.message ?? ""}\n${stderr ?? ""}`.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => /\[ERROR\]/.test(line));
  const what = lines[at]?.replace(/^.*\[ERROR\]\s*/, "");
  const where = lines
    .slice(at + 1)
    .find((line) => /^\S+:\d+:\d+:?$/.test(line))
    ?.replace(/:$/, "");
  if (at !== -1) return `${what}${where ? ` (${where})` : ""}.`;
  return lines.find((line) => line !== "") ?? "the build script failed.";
}
