import { join } from "node:path";
import { LEAN } from "../local/start-keeper.ts";
import { ensureHome } from "../platform/paths.ts";
import { WarrenError } from "../protocol/errors.ts";
import { keepBuild, keptRuntime } from "../registry/builds.ts";
import type { Context } from "./context.ts";

/** Commands that stay in the foreground as a process of another program of ours. */
/**
 * They mostly wait: what their start calls often is not worth compiling, and V8's compilers are 3 MB of the runtime that are read in. What stays hot is compiled
 * all the same.
 */
const WAITING = [...LEAN, "--invocation-count-for-maglev=20000"];

/** This process becomes `program` (`hub.js`), of a kept copy of the build, so that an upgrade may replace the installation meanwhile. @throws NOT_STARTED */
export function become({ places, build, env }: Context, program: string, args: readonly string[]): never {
  ensureHome(places);
  const runtime = keptRuntime(places.buildsDir);
  const command = [runtime, ...WAITING, join(keepBuild(places.buildsDir, build).dir, program), ...args];
  process.execve!(runtime, command, env);
  throw new WarrenError("NOT_STARTED", `The system did not start ${runtime} with ${program}.`, {
    fix: "warren doctor",
  });
}
