import { basename, join, relative } from "node:path";
import { type CheckedSource, checkFile, folderSource, type Source } from "./config-source.ts";
import type { ConfiguredWorker } from "./gateway-config.ts";
import type { Notes } from "./notes.ts";
import { isInside, realPathOf } from "./places.ts";
import type { PlacedRule } from "./rules.ts";
import { noteUnused } from "./tqserver-worker.ts";
import { workerOf } from "./worker-config.ts";
import type { WorkerDefaults } from "./worker-defaults.ts";
import { WORKER_FIELDS, type WorkerFile } from "./worker-fields.ts";
import { NODE_ENTRIES, typeOfFolder } from "./worker-program.ts";

/** One folder of workers/: whether it is a worker, which file says so, and whether it is enabled. */

export interface WorkerContext {
  projectDir: string;
  defaults: WorkerDefaults;
  notes: Notes;
  /** What was looked at is added. */
  watched: Set<string>;
}

export interface ReadWorker {
  source: Source;
  isWorker: boolean;
  rules: readonly PlacedRule[];
  /** Absent: it is no worker, is not enabled, or has problems. */
  config?: ConfiguredWorker;
}

const OWN_PLACE = ["worker.yaml", "worker.yml"];
const TQSERVER_PLACE = ["config/worker.yaml", "config/worker.yml"];

export async function readWorker(dir: string, context: WorkerContext): Promise<ReadWorker> {
  const { defaults, notes, projectDir, watched } = context;
  watchFiles(dir, watched);
  const real = await realPathOf(dir);
  if (!isInside(real, await realPathOf(projectDir))) {
    const source = folderSource(dir);
    source.report("", `leads out of the project, to ${real}`);
    return { source, rules: [], isWorker: true };
  }
  const checked = await sourceOf(dir);
  const source = checked?.source ?? folderSource(dir);
  const file = checked === undefined ? {} : checked.source.value;
  if (file?.entry === undefined) watchContent(dir, watched);
  if (checked === undefined && (await typeOfFolder(dir, basename(dir))) === undefined) {
    notes.noWorker(dir);
    return { source, rules: [], isWorker: false };
  }
  if (file === undefined || !isEnabled(file, defaults)) return { source, rules: [], isWorker: true };
  noteUnused(file, source.file, notes);
  const isTqServers = checked?.isTqServers ?? false;
  const written = { dir, file, source, isTqServers, hasFile: checked !== undefined };
  return { source, isWorker: true, ...(await workerOf(written, context)) };
}

/** Its configuration, wherever it may come to stand. */
function watchFiles(dir: string, watched: Set<string>): void {
  for (const name of [".", ...OWN_PLACE, "config", ...TQSERVER_PLACE]) watched.add(join(dir, name));
}

/** What says what it is when its file does not. */
function watchContent(dir: string, watched: Set<string>): void {
  for (const name of ["src", ...NODE_ENTRIES, "public"]) watched.add(join(dir, name));
}

/** The one that is there; a second is a problem of the first. */
async function sourceOf(dir: string) {
  const found: { source: CheckedSource<WorkerFile>; isTqServers: boolean }[] = [];
  for (const name of [...OWN_PLACE, ...TQSERVER_PLACE]) {
    const source = await checkFile(join(dir, name), WORKER_FIELDS);
    if (source !== undefined) found.push({ source, isTqServers: TQSERVER_PLACE.includes(name) });
  }
  const [first, second] = found;
  if (second !== undefined) first!.source.report("", `${relative(dir, second.source.file)} is there too; keep one`);
  return first;
}

function isEnabled({ enabled = true }: WorkerFile, { mode }: WorkerDefaults): boolean {
  return enabled === "development" ? mode === "dev" : String(enabled) === "true";
}
