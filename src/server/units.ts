import type { Gateways } from "../gateway/gateways.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobRecord } from "../jobs/records.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { suggest } from "../protocol/suggest.ts";

/** Jobs and workers together: the list of them, and what a name means among them. */
export interface UnitDomains {
  jobs: Jobs;
  gateways: Gateways | undefined;
}

export async function listUnits(
  { workdir }: PayloadOf<"unit.list">,
  { jobs, gateways }: UnitDomains,
): Promise<DataOf<"unit.list">> {
  const workers = (await gateways?.workers({ workdir })) ?? [];
  return { units: [...jobs.list({ workdir }).jobs, ...workers] };
}

/**
 * A job's id is that job. A name of this project is the job's or the worker's that has it here; only when nothing here has it, those elsewhere are meant.
 * Several answers are for who asks to tell apart.
 */
export async function findUnits(
  { name, workdir }: PayloadOf<"unit.find">,
  { jobs, gateways }: UnitDomains,
): Promise<DataOf<"unit.find">> {
  const records = jobsMeant(jobs, name, workdir);
  const served = await gateways?.meant(name, workdir);
  const workers = served?.workers ?? [];
  const isHere = ({ project }: JobRecord): boolean =>
    workdir !== undefined && !name.includes("/") && (workdir === project || workdir.startsWith(`${project}/`));
  const here = records.filter((job) => job.id === name || isHere(job));
  const hereOnly = here.length > 0 || served?.isHere === true;
  const meant = [
    ...(hereOnly ? here : records).map((job) => jobs.view(job)),
    ...(hereOnly && !served?.isHere ? [] : workers),
  ];
  if (meant.length > 0) return { units: meant };
  const near = suggest(name, served?.names ?? []);
  return { units: [], ...(near === undefined ? {} : { near }) };
}

function jobsMeant(jobs: Jobs, name: string, workdir: string | undefined): JobRecord[] {
  try {
    return [jobs.find(name, workdir)];
  } catch (error) {
    if (isWarrenError(error, "JOB_NOT_FOUND")) return [];
    if (!isWarrenError(error, "JOB_AMBIGUOUS")) throw error;
    return (error.detail?.candidates as string[]).map((id) => jobs.find(id));
  }
}
