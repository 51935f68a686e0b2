import { isWarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Start } from "../../runs/logs/start.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { followJobs } from "../follow-jobs.ts";
import { followOne } from "../follow-one.ts";
import { workerMeant } from "../gateway/worker-client.ts";
import { workerLogs } from "../gateway/worker-logs.ts";
import { LOG_OPTIONS, type LogSelection, logSelectionOf } from "../log-flags.ts";
import { placeOf } from "../place.ts";
import { latestRun, runNamed } from "../run-of.ts";
import { savedSession, sessionMeant } from "../sessions/session-client.ts";
import { sessionLogs } from "../sessions/session-logs.ts";
import { runsSinceCursor, showLogs } from "../show-logs.ts";
import { usageError } from "../usage-error.ts";

export const logs = defineCommand({
  usage: ["logs [NAME | RUN] [-f] [--tail N] [--since TIME] [--grep PATTERN] [--cursor[=NAME]]"],
  details:
    "Prints the output of a job's last run, stdout to stdout and stderr to stderr, in the order in which it came, or what a session has shown, as text; without a name, that of this directory's jobs. With -f it waits for more, each line behind the job's name, and without a name follows jobs that are started later too.",
  examples: [
    { command: "warren logs web --since 10m --grep /error/i", does: "the errors of the last ten minutes" },
    { command: "warren logs web --cursor --max-bytes 20k", does: "the next part that was not read yet" },
    { command: "warren logs -f", does: "everything that this directory's jobs say" },
  ],
  options: LOG_OPTIONS,
  operands: { kinds: ["unit"], min: 0 },
  async run(context, { values, operands }) {
    const wanted = logSelectionOf(context, values);
    const [name] = operands;
    if (name === undefined) {
      if (values.run !== undefined) throw usageError("--run needs the job's name.", "warren logs NAME --run RUN");
      return wanted.follow ? followDirectory(context, wanted) : showDirectory(context, wanted);
    }
    if (values.run === undefined) {
      const session = await sessionMeant(context, name);
      if (session) return sessionLogs(context, session, wanted);
    }
    const run = await runNamed(context, name, values.run).catch(async (error) => {
      if (!isWarrenError(error, "JOB_NOT_FOUND")) throw error;
      const other = (await workerMeant(context, name)) ?? (await savedSession(context, name));
      if (other) return other;
      throw error;
    });
    if ("worker" in run) return workerLogs(context, run, wanted);
    if ("client" in run) return sessionLogs(context, run, wanted);
    if (wanted.follow) return followOne(context, run, wanted);
    const isCursorOfJob = wanted.cursor !== undefined && values.run === undefined;
    await showLogs(context, isCursorOfJob ? await runsSinceCursor(context, run, wanted.cursor!) : [run], wanted);
    return EXIT.ok;
  },
});

async function showDirectory(context: Context, wanted: LogSelection): Promise<number> {
  const { jobs } = await context.client().request("list", { workdir: placeOf(context.cwd) });
  const runs = jobs.filter(({ run_id }) => run_id !== undefined).map(latestRun);
  if (runs.length === 0) context.output.errorLine("No jobs found");
  const { cursor } = wanted;
  const shown =
    cursor === undefined ? runs : (await Promise.all(runs.map((run) => runsSinceCursor(context, run, cursor)))).flat();
  await showLogs(context, shown.reverse(), wanted);
  return EXIT.ok;
}

async function followDirectory(context: Context, wanted: LogSelection): Promise<number> {
  if (wanted.cursor !== undefined)
    throw usageError("--cursor with --follow needs the job's name.", "warren logs NAME -f --cursor");
  const interrupted = context.interrupted();
  await followJobs(context, { workdir: placeOf(context.cwd), wanted, interrupted, ...startOf(wanted) });
  context.output.errorLine("Stopped following; the jobs go on.");
  return EXIT.interrupted;
}

function startOf({ tailLines, sinceMs }: LogSelection): { start?: Start } {
  if (tailLines !== undefined) return { start: { kind: "tail", lines: tailLines } };
  return sinceMs === undefined ? {} : { start: { kind: "since", timeMs: sinceMs } };
}
