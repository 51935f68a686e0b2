import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { Start } from "../../runs/logs/start.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { followJobs } from "../follow-jobs.ts";
import { followOne } from "../follow-one.ts";
import { followWorkers, runsOfWorker, workerLogs } from "../gateway/worker-logs.ts";
import { LOG_OPTIONS, type LogSelection, logSelectionOf } from "../log-flags.ts";
import { onUnit } from "../on-unit.ts";
import { placeAsked, placeOf } from "../place.ts";
import { latestRun, type NamedRun, runNamed } from "../run-of.ts";
import { sessionLogs } from "../sessions/session-logs.ts";
import { runsSinceCursor, showLogs } from "../show-logs.ts";
import { usageError } from "../usage-error.ts";

export const logs = defineCommand({
  usage: ["logs [NAME | RUN] [-f] [--tail N] [--since TIME] [--grep PATTERN] [--cursor[=NAME]]"],
  details:
    "Prints the output of a job's last run, stdout to stdout and stderr to stderr, in the order in which it came, or what a session has shown, as text; without a name, that of this directory's jobs and of the workers of the project here. Of a worker it prints what its instances have said. With -f it waits for more, each line behind the job's name, and without a name follows jobs that are started later too.",
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
    if (context.machine) checkThere(context.machine.name, name, wanted);
    if (name === undefined) {
      if (values.run !== undefined) throw usageError("--run needs the job's name.", "warren logs NAME --run RUN");
      return wanted.follow ? followDirectory(context, wanted) : showDirectory(context, wanted);
    }
    const { run } = values;
    if (run !== undefined) return runLogs(context, await runNamed(context, name, run), wanted);
    return onUnit(context, name, {
      verb: "logs",
      job: async (jobName) => {
        const latest = await runNamed(context, jobName);
        const { cursor } = wanted;
        const unread = cursor === undefined || wanted.follow ? [] : await runsSinceCursor(context, latest, cursor);
        return runLogs(context, latest, wanted, unread);
      },
      session: (handle) => sessionLogs(context, handle, wanted),
      worker: (handle) => workerLogs(context, handle, wanted),
    });
  },
});

/** Of another machine. @throws USAGE */
function checkThere(machine: string, name: string | undefined, { cursor, follow }: LogSelection): void {
  const on = `warren --on ${quoteWord(machine)} logs`;
  if (cursor !== undefined)
    throw usageError("--cursor is for logs of this machine.", `${on} ${name ?? "NAME"} --since 10m`);
  if (name === undefined && !follow)
    throw usageError(
      'There is no "here" on another machine: logs of which unit?',
      `${on} NAME      # or all: ${on} -f`,
    );
}

/** `unread`: earlier runs that a cursor's reader has not read to their end, and this one. */
async function runLogs(
  context: Context,
  run: NamedRun,
  wanted: LogSelection,
  unread: readonly NamedRun[] = [],
): Promise<number> {
  if (wanted.follow) return followOne(context, run, wanted);
  await showLogs(context, unread.length > 0 ? unread : [run], wanted);
  return EXIT.ok;
}

async function showDirectory(context: Context, wanted: LogSelection): Promise<number> {
  const { units } = await context.client().request("unit.list", { workdir: placeOf(context.cwd) });
  const jobs = units.filter((unit) => unit.kind === "job");
  const runs = jobs.filter(({ run_id }) => run_id !== undefined).map(latestRun);
  const { cursor } = wanted;
  // A cursor is about runs, which are numbered; a worker's instances come and go.
  const instances =
    cursor === undefined ? units.flatMap((unit) => (unit.kind === "worker" ? runsOfWorker(unit) : [])) : [];
  if (runs.length + instances.length === 0) context.output.errorLine("No jobs found");
  const shown =
    cursor === undefined ? runs : (await Promise.all(runs.map((run) => runsSinceCursor(context, run, cursor)))).flat();
  await showLogs(context, [...shown.reverse(), ...instances], wanted);
  return EXIT.ok;
}

async function followDirectory(context: Context, wanted: LogSelection): Promise<number> {
  if (wanted.cursor !== undefined)
    throw usageError("--cursor with --follow needs the job's name.", "warren logs NAME -f --cursor");
  const interrupted = context.interrupted();
  const here = placeAsked(context);
  const { units } = await context.client().request("unit.list", here);
  const served = units.find((unit) => unit.kind === "worker")?.workdir;
  await Promise.all([
    followJobs(context, { ...here, wanted, interrupted, ...startOf(wanted) }),
    served !== undefined && followWorkers(context, { dir: served, wanted }),
  ]);
  context.output.errorLine(`Stopped following; ${served === undefined ? "the jobs" : "jobs and workers"} go on.`);
  return EXIT.interrupted;
}

function startOf({ tailLines, sinceMs }: LogSelection): { start?: Start } {
  if (tailLines !== undefined) return { start: { kind: "tail", lines: tailLines } };
  return sinceMs === undefined ? {} : { start: { kind: "since", timeMs: sinceMs } };
}
