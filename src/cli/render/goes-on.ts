import type { Job } from "../../protocol/units.ts";
import type { Output } from "../output.ts";
import { hintLines } from "./hints.ts";
import { nameOf } from "./job-text.ts";

/** After Ctrl-C on a wait: what happens to the job. */
export function sayGoesOn(output: Output, job: Pick<Job, "id" | "name">): void {
  const name = nameOf(job);
  output.errorLine(`Job ${name} continues running in background`);
  const hints = [
    [`warren await ${name}`, "wait for completion with live output"],
    [`warren stop ${name}`, "stop the job"],
  ] as const;
  for (const line of hintLines(output, hints)) output.errorLine(line);
}
