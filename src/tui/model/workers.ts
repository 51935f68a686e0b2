import type { Gateway, Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import type { Model, Scope } from "./model.ts";

/**
 * The workers of the projects that are up, below the jobs: by project, then by name, so that no row moves while they change.
 */
export interface WorkerView {
  /** Of this screen: a directory and a name, since two projects may be called the same. */
  id: string;
  worker: Worker;
  /** The project's directory, name, mode, last save. */
  dir: string;
  project: string;
  mode: Gateway["mode"];
  lastSave: Gateway["last_save"];
  /** Requests a second, between two looks; undefined before the second. */
  perSecond: number | undefined;
  seenAtMs: number;
}

export const workerId = (dir: string, name: string): string => `worker:${dir}/${name}`;

export const selectedWorker = (model: Model): WorkerView | undefined =>
  model.selectedId === null ? undefined : model.workers.get(model.selectedId);

export const orderOf = (
  workers: ReadonlyMap<string, WorkerView>,
  { allDirectories, scope }: Pick<Model, "allDirectories" | "scope">,
): string[] =>
  [...workers.values()]
    .filter(({ dir }) => allDirectories || isHere(dir, scope))
    .sort(
      (a, b) =>
        a.project.localeCompare(b.project) ||
        a.dir.localeCompare(b.dir) ||
        a.worker.name.localeCompare(b.worker.name, undefined, { numeric: true }),
    )
    .map(({ id }) => id);

/** In the project's directory or below it; or that directory is inside what is looked at. */
const isHere = (dir: string, { path, kind }: Scope): boolean =>
  path === dir || path.startsWith(`${dir}/`) || (kind === "project" && dir.startsWith(`${path}/`));

/** The newest first. */
export const instancesOf = ({ worker }: WorkerView): WorkerInstance[] => worker.instances.toReversed();

/** The one whose output is shown: the one that was chosen, else the newest. */
export const shownInstance = (model: Model, view: WorkerView): WorkerInstance | undefined =>
  view.worker.instances.find(({ id }) => id === model.selectedRunId) ?? instancesOf(view)[0];
