import { basename } from "node:path";
import { JOB_ID_PATTERN } from "../protocol/names.ts";
import { jobAmbiguous, jobNotFound } from "./errors.ts";
import type { JobRecord } from "./records.ts";
import type { JobStore } from "./store.ts";

/**
 * What a word means (CONTRACT §1): an id; a bare name, looked up in the project of `workdir`, then in the home; `site/web`, the project folder's
 * name before it; `blazing/web`, a server's name before it.
 * @throws JOB_NOT_FOUND, JOB_AMBIGUOUS
 */
export function findJob(
  store: JobStore,
  ref: string,
  { workdir, server }: { workdir?: string | undefined; server: string },
): JobRecord {
  if (JOB_ID_PATTERN.test(ref)) {
    const job = store.job(ref);
    if (job) return job;
  }
  const slash = ref.lastIndexOf("/");
  const place = slash === -1 ? undefined : ref.slice(0, slash);
  const name = ref.slice(slash + 1);
  const named = store
    .jobsNamed(name)
    .filter((job) => place === undefined || place === server || basename(job.project) === place);
  const inProject = workdir === undefined || place !== undefined ? [] : nearest(named, workdir);
  const candidates = inProject.length > 0 ? inProject : named;
  if (candidates.length > 1) throw jobAmbiguous(ref, candidates);
  if (candidates[0]) return candidates[0];
  throw jobNotFound(ref, knownWords(store, workdir));
}

/** Those of the innermost project that contains `workdir`. */
function nearest(jobs: JobRecord[], workdir: string): JobRecord[] {
  const containing = jobs.filter(({ project }) => workdir === project || workdir.startsWith(`${project}/`));
  const depth = Math.max(...containing.map(({ project }) => project.length));
  return containing.filter(({ project }) => project.length === depth);
}

function knownWords(store: JobStore, workdir: string | undefined): string[] {
  const jobs = workdir === undefined ? [] : store.jobs(workdir);
  return (jobs.length > 0 ? jobs : store.jobs()).flatMap(({ id, name }) => (name === null ? [id] : [name, id]));
}
