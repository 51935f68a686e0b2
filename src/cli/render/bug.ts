import { join } from "node:path";
import { openLog } from "../../platform/log.ts";
import type { Places } from "../../platform/paths.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Output } from "../output.ts";
import { errorMark } from "./error.ts";

/** Our fault: one sentence and where the stack was written down; the stack itself only when asked for (WARREN_LOG=debug). */
export function reportBug(output: Output, error: unknown, places?: Places, env?: Readonly<NodeJS.ProcessEnv>): void {
  const stack = error instanceof Error ? error.stack : String(error);
  output.errorLine(`${output.errorStyle.tone("bad", errorMark(output))} bug in Warren: ${messageOf(error)}`);
  if (places) {
    const path = join(places.logsDir, "cli.log");
    openLog(path).error("bug", { stack });
    output.errorLine(output.errorStyle.dim(path));
  }
  if (!places || env?.WARREN_LOG === "debug") output.errorLine(stack);
}
