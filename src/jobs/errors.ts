import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";
import type { JobRecord } from "./records.ts";

/** The typed errors of the jobs domain: one factory each. */

export const jobNotFound = (ref: string, known: Iterable<string> = []): WarrenError => {
  const near = suggest(ref, known);
  return new WarrenError("JOB_NOT_FOUND", `job not found: ${ref}${near ? `. Did you mean ${near}?` : ""}`, {
    fix: "warren list --all",
    ...(near ? { detail: { suggestion: near } } : {}),
  });
};

export const jobAmbiguous = (ref: string, candidates: JobRecord[]): WarrenError =>
  new WarrenError(
    "JOB_AMBIGUOUS",
    `${ref} is the name of ${candidates.length} jobs: ${candidates.map(({ id, workdir }) => `${id} in ${workdir}`).join(", ")}.`,
    { fix: `warren logs ${candidates[0]?.id}`, detail: { candidates: candidates.map(({ id }) => id) } },
  );

export const jobRunning = (id: string): WarrenError =>
  new WarrenError("JOB_RUNNING", `job ${id} is already running (use 'warren restart' to restart a running job)`, {
    fix: `warren restart ${id}`,
  });

export const jobNotRunning = (id: string): WarrenError =>
  new WarrenError("JOB_NOT_RUNNING", `job ${id} is not running`, { fix: `warren start ${id}` });

export const stoppedMeanwhile = (id: string): WarrenError =>
  new WarrenError("JOB_STOPPED", `job ${id} was stopped before it was started`, { fix: `warren start ${id}` });

export const cannotRemoveRunning = (id: string): WarrenError =>
  new WarrenError("JOB_RUNNING", `cannot remove running job: ${id} (use 'stop' first)`, { fix: `warren stop ${id}` });

export const jobBlocked = (id: string, description: string | undefined): WarrenError =>
  new WarrenError("JOB_BLOCKED", `job is blocked${description ? `: ${description}` : ""}`, {
    fix: "remove `blocked` from it in warren.yaml, then `warren up`",
    detail: { job_id: id },
  });

export const nameTaken = (name: string, owner: JobRecord): WarrenError =>
  new WarrenError("NAME_TAKEN", `${name} is the name of job ${owner.id} (${owner.command.join(" ")}).`, {
    fix: `warren remove ${owner.id}      # or choose another --name`,
  });

export const nameInvalid = (name: string): WarrenError =>
  new WarrenError(
    "NAME_INVALID",
    `${JSON.stringify(name)} cannot be a name: use a-z first, then a-z, 0-9 or -, at most 32 characters.`,
  );

export const runNotFound = (id: string): WarrenError =>
  new WarrenError("RUN_NOT_FOUND", `run not found: ${id}`, { fix: "warren list --all" });

export const cannotRemoveRunningRun = (id: string): WarrenError =>
  new WarrenError("RUN_RUNNING", `cannot remove running run: ${id} (stop the job first)`, {
    fix: `warren stop ${id.split("-")[0]}`,
  });

export const treeSurvived = (id: string, pids: number[]): WarrenError =>
  new WarrenError(
    "TREE_SURVIVED",
    `process tree of ${id} has ${pids.length} surviving processes after SIGKILL: [${pids.join(" ")}]`,
    {
      fix: "warren doctor",
      detail: { pids },
    },
  );

export const environmentUnknown = (id: string): WarrenError =>
  new WarrenError("ENV_UNKNOWN", `The environment to start job ${id} with is not known.`, {
    fix: `warren start ${id}`,
  });

export const dependencyUnknown = (name: string, of: string): WarrenError =>
  new WarrenError("DEPENDENCY_UNKNOWN", `${of} depends on ${name}, which is no job of this project.`, {
    fix: "warren list",
  });

export const signalGone = (id: string): WarrenError =>
  new WarrenError("JOB_NOT_RUNNING", `job ${id} has just ended; the signal was not sent`, { fix: `warren why ${id}` });

export const diskFull = (cause: unknown): WarrenError =>
  new WarrenError("DISK_FULL", "There is no space left on the disk of the home; nothing was changed.", {
    fix: "warren cleanup      # or make room: df -h",
    cause,
  });
