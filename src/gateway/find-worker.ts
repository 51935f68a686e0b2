import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { GatewayProject } from "./project.ts";
import type { ProjectWorker } from "./project-worker.ts";

/**
 * What a word means among the workers of the projects that are up (CONTRACT §1): a bare name in the project of `workdir`, and when that has none, in the
 * home; `site/api`, the project folder's name before it; `/home/me/site/api`, its directory, where two folders have the same name.
 */
export interface FoundWorker {
  project: GatewayProject;
  worker: ProjectWorker;
}

export type Projects = ReadonlyMap<string, GatewayProject>;

/** Those that are meant: more than one when only the directory tells them apart. `isHere`: of the project of `workdir`. */
export function workersMeant(
  projects: Projects,
  reference: string,
  workdir: string | undefined,
): { found: FoundWorker[]; isHere: boolean } {
  const at = reference.lastIndexOf("/");
  const [place, name] = at < 0 ? [undefined, reference] : [reference.slice(0, at), reference.slice(at + 1)];
  const all = [...projects.values()].flatMap((project) =>
    project.workers.filter((worker) => worker.name === name).map((worker) => ({ project, worker })),
  );
  if (place !== undefined) return { found: all.filter(({ project }) => isCalled(project, place)), isHere: false };
  const project = workdir === undefined ? undefined : projectAt(projects, workdir);
  const here = all.filter((one) => one.project === project);
  return here.length > 0 ? { found: here, isHere: true } : { found: all, isHere: false };
}

/** @throws GATEWAY_NOT_FOUND, WORKER_NOT_FOUND, WORKER_AMBIGUOUS */
export function workerMeant(projects: Projects, reference: string, workdir: string | undefined): FoundWorker {
  const { found } = workersMeant(projects, reference, workdir);
  const [first] = found;
  if (found.length === 1 && first) return first;
  if (found.length > 1) throw workerAmbiguous(reference, found);
  const at = reference.lastIndexOf("/");
  const place = reference.slice(0, Math.max(0, at));
  const project = at < 0 ? projectAt(projects, workdir ?? "/") : named(projects, place);
  if (!project) throw gatewayNotFound(at < 0 ? (workdir ?? "this directory") : place);
  project.worker(reference.slice(at + 1)); // says which there are
  throw gatewayNotFound(reference);
}

/** The project of a directory: the nearest one upwards that is up. */
function projectAt(projects: Projects, workdir: string): GatewayProject | undefined {
  for (let dir = realDirectory(workdir); ; dir = dirname(dir)) {
    const found = projects.get(dir);
    if (found || dir === dirname(dir)) return found;
  }
}

/** That of a directory, or all. */
export function projectsAt(projects: Projects, workdir: string | undefined): GatewayProject[] {
  if (workdir === undefined) return [...projects.values()];
  const found = projectAt(projects, workdir);
  return found ? [found] : [];
}

export const realDirectory = (dir: string): string => (existsSync(dir) ? realpathSync(dir) : dir);

export const gatewayNotFound = (what: string): WarrenError =>
  new WarrenError("GATEWAY_NOT_FOUND", `No gateway serves ${what}.`, { fix: "warren up" });

/** The port that is taken may be another project's: then it says whose. */
export async function withHolder(error: unknown, projects: Projects, portOf: () => Promise<number>): Promise<unknown> {
  if (!isWarrenError(error, "GATEWAY_PORT_TAKEN")) return error;
  const port = await portOf();
  const holder = [...projects.values()].find(({ address }) => address?.port === port);
  return holder ? portOfProject(port, holder.dir) : error;
}

const portOfProject = (port: number, dir: string): WarrenError =>
  new WarrenError("GATEWAY_PORT_TAKEN", `Port ${port} is taken by the gateway of ${dir}.`, {
    fix: `WARREN_GATEWAY_PORT=${port + 1} warren up      # or another gateway.port in warren.yaml`,
    detail: { port, dir },
  });

const named = (projects: Projects, name: string): GatewayProject | undefined =>
  [...projects.values()].find((project) => isCalled(project, name));

const isCalled = ({ config, dir }: GatewayProject, place: string): boolean =>
  place.startsWith("/") ? dir === place : config.project === place;

function workerAmbiguous(reference: string, found: readonly FoundWorker[]): WarrenError {
  const isSameName = new Set(found.map(({ project }) => project.config.project)).size < found.length;
  const words = found.map(({ project, worker }) => `${project.config.project}/${worker.name} in ${project.dir}`);
  const candidates = found.map(
    ({ project, worker }) => `${isSameName ? project.dir : project.config.project}/${worker.name}`,
  );
  return new WarrenError(
    "WORKER_AMBIGUOUS",
    `${reference} is the name of ${found.length} workers: ${words.join(", ")}.`,
    {
      fix: `warren why ${candidates[0]}`,
      detail: { candidates },
    },
  );
}
