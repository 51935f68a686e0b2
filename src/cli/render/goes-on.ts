import type { Job } from "../../protocol/units.ts";
import type { Output } from "../output.ts";
import { hintLines } from "./hints.ts";

/** After Ctrl-C on a wait: what happens to the job. */
export function sayGoesOn(output: Output, job: Pick<Job, "id">): void {
  output.errorLine(`Job ${job.id} continues running in background`);
  const hints = [
    [`warren await ${job.id}`, "wait for completion with live output"],
    [`warren stop ${job.id}`, "stop the job"],
  ] as const;
  for (const line of hintLines(output, hints)) output.errorLine(line);
}
