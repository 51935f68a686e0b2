import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import type { Job } from "../../protocol/units.ts";
import { logPathsOfRun, type Positions } from "../../runs/logs/files.ts";
import type { LogItem } from "../../runs/logs/log-item.ts";
import { openRunLog } from "../../runs/logs/log-source.ts";
import { type SelectOptions, selectLines } from "../../runs/logs/select.ts";

/** A part of what a run has said, as text, with the place where the next part begins. */
export const LogPart = z.object({
  run_id: z.string(),
  text: z.string().describe("Lines as the job wrote them; those of stderr and stdout in the order in which they came."),
  cursor: z.string().describe("Give it to the next call, to read on from here."),
  omitted_bytes: z.number().int().describe("Left out here, because a part has a limit, or gone from the disk."),
});
export type LogPart = z.input<typeof LogPart>;

/** What a model reads of a log in one answer; a page of 16 KB is about 4,000 tokens. */
export const PART_BYTES = 16 * 1024;
export const PART_BYTES_MAX = 256 * 1024;

export type LoggedRun = Pick<Job, "stdout_path" | "stderr_path"> & { run_id: string; isRunning: boolean };

/** The run that the job is in, or was in last. @throws NO_RUN_YET */
export function lastRun(job: Job): LoggedRun {
  const { run_id, stdout_path, stderr_path, status } = job;
  if (run_id !== undefined) return { run_id, stdout_path, stderr_path, isRunning: status === "running" };
  throw new WarrenError("NO_RUN_YET", `Job ${job.name ?? job.id} has not run yet.`);
}

/** @throws CURSOR_INVALID when it is none, or of another run */
function positionsOf(cursor: string, runId: string): Positions {
  const [, ofRun, stdout, stderr] = /^(\S+):(\d{1,15}):(\d{1,15})$/.exec(cursor) ?? [];
  if (ofRun === undefined) {
    throw new WarrenError("CURSOR_INVALID", `${JSON.stringify(cursor)} is no cursor of ours.`, { fix: "leave it out" });
  }
  if (ofRun !== runId) return { stdout: 0, stderr: 0 }; // it has run again since: from the beginning of that run
  return { stdout: Number(stdout), stderr: Number(stderr) };
}

export async function readLog(
  run: LoggedRun,
  options: Omit<SelectOptions, "from"> & { cursor?: string | undefined },
): Promise<LogPart> {
  const { cursor, ...rest } = options;
  await using log = await openRunLog(logPathsOfRun({ ...run, id: run.run_id }));
  const from = cursor === undefined ? {} : { from: positionsOf(cursor, run.run_id) };
  const selection = selectLines(log, { ...rest, ...from, holdUnterminated: run.isRunning });
  const lines: Buffer[] = [];
  let omittedBytes = 0;
  for await (const item of selection) {
    if (item.kind === "line") lines.push(lineOf(item));
    else omittedBytes += item.bytes;
  }
  const { stdout, stderr } = selection.consumed();
  const text = Buffer.concat(lines).toString("utf8");
  return { run_id: run.run_id, text, cursor: `${run.run_id}:${stdout}:${stderr}`, omitted_bytes: omittedBytes };
}

const NEWLINE = Buffer.from("\n");

const lineOf = (item: Extract<LogItem, { kind: "line" }>): Buffer =>
  item.continues ? item.bytes : Buffer.concat([item.bytes, NEWLINE]);

/** A part as text; what is missing is said where it is missing, and where it goes on at its end. */
export function partText({ text, omitted_bytes, cursor }: LogPart): string {
  const missing = omitted_bytes > 0 ? `[${omitted_bytes} bytes are not shown]\n` : "";
  return `${missing}${text === "" ? "(no output)" : text.trimEnd()}\n[cursor "${cursor}"]`;
}
