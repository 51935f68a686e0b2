import { dirname, join, resolve } from "node:path";
import { WarrenError } from "../../protocol/errors.ts";
import type { GatewayMode } from "../../protocol/front-messages.ts";
import { configInvalid, type Problem } from "../problems.ts";
import { findProject } from "../warren-yaml.ts";
import { readApp } from "./app.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import { Notes } from "./notes.ts";
import { isFolder, isThere, namesIn, realPathOf } from "./places.ts";
import { type ReadWorker, readWorker } from "./read-worker.ts";
import { routesOf } from "./routes.ts";
import { readSettings, type Settings } from "./settings.ts";
import { checkWhole } from "./whole-checks.ts";
import { LOOKED_FOR, typeOfFolder } from "./worker-program.ts";

/** A project's gateway, from its files: checked as a whole, taken without a problem or not at all. */

export interface LoadOptions {
  /** In the place of what the files say; which workers are enabled depends on it. */
  mode?: GatewayMode;
}

export interface GatewayReading {
  /** Undefined with problems, and when there is nothing that a gateway could serve. */
  config: GatewayConfig | undefined;
  problems: Problem[];
  watched: string[];
}

/**
 * @param dir the project's folder, which holds warren.yaml, config/server.yaml or workers/
 * @throws CONFIG_INVALID with all problems of all files (`detail.problems`) and a message to print; NO_WORKERS. Both have `detail.watched`: what to look at
 * for another try.
 */
export async function loadGateway(dir: string, options: LoadOptions = {}): Promise<GatewayConfig> {
  const path = resolve(dir);
  const { config, problems, watched } = await readGateway(path, options);
  if (problems.length > 0) {
    const invalid = configInvalid(
      problems.every(({ file }) => file === problems[0]!.file) ? problems[0]!.file : path,
      problems,
    );
    throw new WarrenError(invalid.code, invalid.message, { detail: { ...invalid.detail, watched } });
  }
  if (config === undefined) throw noWorkers(path, watched);
  return config;
}

/** The same without throwing. */
export async function readGateway(dir: string, { mode }: LoadOptions = {}): Promise<GatewayReading> {
  const path = resolve(dir);
  const notes = new Notes();
  const watched = new Set<string>();
  const settings = await readSettings(path, { notes, watched, ...(mode !== undefined && { mode }) });
  const workers = await readWorkers(settings, { notes, watched });
  const configs = workers.flatMap(({ config }) => config ?? []);
  checkWhole(settings, workers);
  const problems = [...settings.sources, ...workers.map(({ source }) => source)].flatMap((source) => source.problems);
  const isEmpty =
    workers.every(({ isWorker }) => !isWorker) &&
    settings.rules.length === 0 &&
    !(await isFolder(settings.config.publicDir));
  const config: GatewayConfig = {
    ...settings.config,
    workers: configs,
    routes: routesOf({ workers: configs, rules: settings.config.rules }),
    warnings: notes.warnings(path, LOOKED_FOR),
    watched: [...watched].sort(),
  };
  return { config: problems.length > 0 || isEmpty ? undefined : config, problems, watched: [...config.watched] };
}

/**
 * The folder of the project that a directory belongs to, if it has a gateway: the nearest that holds a warren.yaml, a config/server.yaml or a worker, there
 * or above. Undefined: there is none, or the nearest has neither a section `gateway` nor a worker.
 * @throws CONFIG_AMBIGUOUS, CONFIG_UNREADABLE
 */
export async function findGateway(from: string): Promise<string | undefined> {
  const project = await findProject(from);
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (dir === project?.dir || (await isGatewayFolder(dir))) {
      const { config, problems } = await readGateway(dir);
      return config !== undefined || problems.length > 0 ? dir : undefined;
    }
    if (dir === dirname(dir)) return undefined;
  }
}

async function isGatewayFolder(dir: string): Promise<boolean> {
  if (await isThere(join(dir, "config", "server.yaml"))) return true;
  const folders = await workerFolders(join(dir, "workers"));
  for (const folder of folders) {
    const files = ["worker.yaml", "worker.yml", "config/worker.yaml", "config/worker.yml"];
    for (const file of files) if (await isThere(join(folder, file))) return true;
    if ((await typeOfFolder(folder, folder.slice(dirname(folder).length + 1))) !== undefined) return true;
  }
  return false;
}

async function readWorkers(
  settings: Settings,
  { notes, watched }: { notes: Notes; watched: Set<string> },
): Promise<ReadWorker[]> {
  const { config, defaults } = settings;
  const workers: ReadWorker[] = [];
  const byRealPath = new Map<string, string>();
  for (const dir of await workerFolders(config.workersDir)) {
    const worker = await readWorker(dir, { projectDir: config.dir, defaults, notes, watched });
    const real = await realPathOf(dir);
    const same = byRealPath.get(real);
    if (same !== undefined && worker.isWorker) worker.source.report("", `is the same folder as ${same}`);
    byRealPath.set(real, dir);
    workers.push(worker);
  }
  if (settings.app !== undefined) workers.push(await readApp(settings.app, settings, { notes, watched }));
  return workers;
}

/** Folders, and symlinks to folders; not those of tools. */
async function workerFolders(workersDir: string): Promise<string[]> {
  const names = (await namesIn(workersDir)).filter((name) => !/^[._]|^node_modules$/.test(name));
  const folders = names.map((name) => join(workersDir, name));
  const are = await Promise.all(folders.map(isFolder));
  return folders.filter((_, index) => are[index]);
}

/** Why the folder `workers` of a directory that is no project makes none. Undefined: it has no such folder. */
export const whyNoWorkers = async (dir: string): Promise<WarrenError | undefined> =>
  (await isFolder(join(dir, "workers"))) ? noWorkers(dir, []) : undefined;

const noWorkers = (dir: string, watched: string[]): WarrenError =>
  new WarrenError(
    "NO_WORKERS",
    `There is no worker in ${dir}: a worker is a folder workers/<name> with one of ${LOOKED_FOR.replace(", nor", ", or")}.`,
    {
      fix: "warren init site",
      detail: { watched },
    },
  );
