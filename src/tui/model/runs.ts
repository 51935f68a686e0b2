import type { WorkerInstance } from "../../protocol/gateway-units.ts";
import type { Job, Run } from "../../protocol/units.ts";
import { innerRows, layoutOf } from "./layout.ts";
import { scrollToShow } from "./list.ts";
import { openLogs } from "./log-pane.ts";
import { type LogSource, type Model, type Step, selectedJob } from "./model.ts";
import { instancesOf, selectedWorker, shownInstance } from "./workers.ts";

/** The runs of the selected unit, and the one whose logs are shown. */

/** The run that panels 4 and 5 show; null when the unit never ran. */
export interface ShownRun {
  id: string;
  stdoutPath: string;
  stderrPath: string;
}

/** Rows above the list of runs: the summary, and the bar while history tells how long a run takes. */
export function runsHeaderRows(job: Job | undefined): number {
  if (!job || job.run_count === 0) return 0;
  return progressOf(job) === undefined ? 1 : 2;
}

/** Percent of the expected duration; only while it runs and the history knows. */
export const progressOf = (job: Job): number | undefined =>
  job.status === "running" && job.progress_percent !== undefined && job.avg_duration_ms > 0
    ? job.progress_percent
    : undefined;

/** Shows the logs of the run that is selected now. Does nothing when they are shown already. */
export function showRun(model: Model): Step {
  const run = shownRun(model);
  return openLogs(model, { stdout: sourceOf(run, "stdout"), stderr: sourceOf(run, "stderr") });
}

function shownRun(model: Model): ShownRun | null {
  const view = selectedWorker(model);
  if (view) return shownOfWorker(shownInstance(model, view));
  const job = selectedJob(model);
  if (!job) return null;
  const run = model.runs.find((candidate) => candidate.id === model.selectedRunId);
  if (run) return { id: run.id, stdoutPath: run.stdout_path, stderrPath: run.stderr_path };
  if (job.run_id === undefined) return null;
  return { id: job.run_id, stdoutPath: job.stdout_path, stderrPath: job.stderr_path };
}

/** An instance says nothing before its process is there. */
function shownOfWorker(instance: WorkerInstance | undefined): ShownRun | null {
  const { id, stdout_path, stderr_path } = instance ?? {};
  if (id === undefined || stdout_path === undefined || stderr_path === undefined) return null;
  return { id, stdoutPath: stdout_path, stderrPath: stderr_path };
}

/** What panel 3 lists: the runs of a job, the instances of a worker; newest first. */
export function listedRuns(model: Model): readonly { id: string }[] {
  const view = selectedWorker(model);
  return view ? instancesOf(view) : model.runs;
}

export function runIndexOf(model: Model): number {
  if (model.selectedRunId === null) return 0;
  return Math.max(
    0,
    listedRuns(model).findIndex((run) => run.id === model.selectedRunId),
  );
}

/** Selecting the newest run follows the newest, also when there comes a newer one. */
export function selectRun(model: Model, index: number): Step {
  const listed = listedRuns(model);
  if (listed.length === 0) return [model, []];
  const at = Math.max(0, Math.min(index, listed.length - 1));
  const rows = innerRows(layoutOf(model)?.panels.runs) - runsHeaderRows(selectedJob(model));
  const runs = { ...model.lists.runs, top: scrollToShow(model.lists.runs.top, at, rows, listed.length) };
  const selectedRunId = at === 0 ? null : listed[at]!.id;
  return showRun({ ...model, selectedRunId, armed: null, lists: { ...model.lists, runs } });
}

export function applyRuns(model: Model, jobId: string, runs: readonly Run[]): Step {
  if (jobId !== model.selectedId) return [model, []];
  return showRun({ ...model, runs: [...runs].sort(newestFirst) });
}

const newestFirst = (a: Run, b: Run): number => Date.parse(b.started_at) - Date.parse(a.started_at);

const sourceOf = (run: ShownRun | null, stream: "stdout" | "stderr"): LogSource | null =>
  run && { runId: run.id, path: stream === "stdout" ? run.stdoutPath : run.stderrPath };
