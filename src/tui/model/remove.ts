import { labelOf, type Model, type Step, selectedJob } from "./model.ts";
import { runIndexOf } from "./runs.ts";
import { ask, say } from "./say.ts";

/** Removal takes logs with it, so it asks: `d` says what would go, `d` again does it, any other key forgets it. */

export function removeFocused(model: Model): Step {
  return model.focus === "runs" ? removeRun(model) : removeUnit(model);
}

export function removeUnit(model: Model): Step {
  const job = selectedJob(model);
  if (!job) return [model, []];
  if (job.status === "running") return say(model, `${labelOf(job)} is running; s stops it first`, "error");
  if (model.armed?.id !== job.id) {
    const what = job.run_count === 1 ? "1 run and its logs" : `${job.run_count} runs and their logs`;
    return ask(model, { key: "d", id: job.id }, `press d again: remove ${labelOf(job)} with ${what}`);
  }
  return confirmed(model, { verb: "remove", jobId: job.id }, labelOf(job));
}

function removeRun(model: Model): Step {
  const run = model.runs[runIndexOf(model)];
  if (!run) return [model, []];
  if (run.status === "running") return say(model, `${run.id} is running; s stops it first`, "error");
  if (model.armed?.id !== run.id)
    return ask(model, { key: "d", id: run.id }, `press d again: remove run ${run.id} with its logs`);
  return confirmed(model, { verb: "remove-run", runId: run.id }, run.id);
}

function confirmed(
  model: Model,
  verb: { verb: "remove"; jobId: string } | { verb: "remove-run"; runId: string },
  label: string,
): Step {
  return [{ ...model, armed: null, message: null }, [{ kind: "perform", verb, label }]];
}
