import { lstat, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { DeploymentConfig } from "../config/gateway/deployment.ts";
import type { ConfiguredWorker, GatewayConfig } from "../config/gateway/gateway-config.ts";
import { isFile, isFolder, isInside } from "../config/gateway/places.ts";
import { NODE_ENTRIES } from "../config/gateway/worker-program.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { ProductionArtefact } from "../protocol/gateway-units.ts";
import { suggest } from "../protocol/suggest.ts";
import type { Artefact } from "./messages.ts";

/** What of a project is copied to a host. */
export interface DeployPlan {
  /** All but artefacts; relative to the project, in order. */
  files: string[];
  artefacts: Artefact[];
  workers: PlannedWorker[];
}

export interface PlannedWorker {
  name: string;
  /** `artefact`: what was built here. `sources`: is built there. `folder`: runs as it is. `files`: is served. `nothing`: runs elsewhere. */
  how: "artefact" | "sources" | "folder" | "files" | "nothing";
  version?: string;
}

/** In no folder that is copied, unless `include` names it. */
const NEVER = new Set(["node_modules", ".git", ".warren-deploy"]);
/** Of a worker: what it has made itself, and what was made of it. */
const OWN = ["bin", "private"];
/** What says how a worker's sources are built, in its folder and those above it. */
const SURROUNDINGS = ["package.json", "package-lock.json", "tsconfig.json"];

/** How each worker gets there. @throws DEPLOYMENT_INVALID for names of workers that are none, or have no sources here */
export function howDeployed(config: GatewayConfig, { sources, file }: DeploymentConfig): PlannedWorker[] {
  const names = config.workers.map(({ name }) => name);
  for (const name of typeof sources === "string" ? [] : sources) {
    if (names.includes(name)) continue;
    const near = suggest(name, names);
    const meant = near ? `Did you mean ${near}?` : `There are ${names.join(", ") || "none"}.`;
    throw new WarrenError("DEPLOYMENT_INVALID", `${file}: "sources" names ${name}, which is no worker. ${meant}`);
  }
  return config.workers.map((worker) => ({ name: worker.name, how: howOf(worker, sources) }));
}

function howOf({ name, type, build, hasSources }: ConfiguredWorker, sources: DeploymentConfig["sources"]) {
  if (type === "static") return "files";
  if (type === "url") return "nothing";
  if (type === "command" && build === undefined) return "folder";
  const isSource = sources === "all" || sources.includes(name);
  if (!isSource) return "artefact";
  if (hasSources) return "sources";
  throw new WarrenError(
    "DEPLOYMENT_INVALID",
    `${name} is to be deployed as sources, and only what was built of it is here.`,
  );
}

/** @throws DEPLOYMENT_INVALID for files that lie outside of the project, or are not there */
export async function planOf(
  config: GatewayConfig,
  { include }: DeploymentConfig,
  { workers, artefacts }: { workers: readonly PlannedWorker[]; artefacts: readonly ProductionArtefact[] },
): Promise<DeployPlan> {
  const builtOf = (name: string): ProductionArtefact | undefined => artefacts.find(({ worker }) => worker === name);
  const paths = [...(await configurationFiles(config)), ...(await filesIn(config.publicDir))];
  for (const worker of config.workers) {
    const how = workers.find(({ name }) => name === worker.name)?.how;
    if (worker.publicDir !== undefined) paths.push(...(await filesIn(worker.publicDir)));
    if (how === "folder") paths.push(...(await filesIn(worker.dir, [join(worker.dir, "private")])));
    if (how === "sources") paths.push(...(await sourcesOf(worker, config, builtOf(worker.name)?.inputs ?? [])));
  }
  for (const path of include) paths.push(...(await included(path)));
  const planned = workers.filter(({ how }) => how === "artefact").map(({ name }) => builtOf(name)!);
  return {
    files: [...new Set(paths)].map((path) => inProject(path, config.dir)).sort(),
    artefacts: await Promise.all(planned.map((built) => artefactOf(built, config))),
    workers: workers.map((worker) => {
      const version = worker.how === "artefact" ? builtOf(worker.name)?.version : undefined;
      return { ...worker, ...(version === undefined ? {} : { version }) };
    }),
  };
}

/** warren.yaml, each worker.yaml, TQServer's files, env files: what is watched, without what is built. */
async function configurationFiles({ watched, workers }: GatewayConfig): Promise<string[]> {
  const entries = new Set(workers.map(({ entry }) => entry));
  const isEntry = (path: string): boolean =>
    entries.has(path) || NODE_ENTRIES.some((name) => path.endsWith(`/${name}`));
  const files: string[] = [];
  for (const path of watched) if (!isEntry(path) && (await isFile(path))) files.push(path);
  return files;
}

async function sourcesOf(
  worker: ConfiguredWorker,
  { dir }: GatewayConfig,
  inputs: readonly string[],
): Promise<string[]> {
  const own = OWN.map((name) => join(worker.dir, name));
  const files = await filesIn(worker.dir, own);
  for (const folder of worker.sharedDirs) files.push(...(await filesIn(folder)));
  for (let at = worker.dir; isInside(at, dir); at = dirname(at)) {
    for (const name of SURROUNDINGS) if (await isFile(join(at, name))) files.push(join(at, name));
  }
  // Packages are installed there, or included.
  files.push(...inputs.filter((path) => isInside(path, dir) && !path.split("/").includes("node_modules")));
  return files;
}

async function artefactOf({ worker, version, path }: ProductionArtefact, config: GatewayConfig): Promise<Artefact> {
  const { dir } = config.workers.find(({ name }) => name === worker)!;
  const files = [`${path}.map`, path!];
  const there = await Promise.all(files.map(isFile));
  return {
    ...{ worker, version, name: basename(path!), dir: inProject(dir, config.dir) },
    files: files.filter((_, index) => there[index]).map((file) => inProject(file, config.dir)),
  };
}

async function included(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new WarrenError("DEPLOYMENT_INVALID", `"include" names ${path}, which does not exist.`);
  return found.isDirectory() ? filesIn(path, [], true) : [path];
}

/** Files and symbolic links below a folder; none when it is not there. */
async function filesIn(dir: string, without: readonly string[] = [], isWhole = false): Promise<string[]> {
  if (!(await isFolder(dir))) return [];
  const files: string[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (without.includes(path) || (!isWhole && NEVER.has(entry.name))) continue;
    if (entry.isDirectory()) files.push(...(await filesIn(path, without, isWhole)));
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
  }
  return files;
}

function inProject(path: string, dir: string): string {
  const name = relative(dir, path);
  if (isInside(path, dir) && !name.includes("\n")) return name;
  throw new WarrenError(
    "DEPLOYMENT_INVALID",
    `${JSON.stringify(path)} lies outside of the project, or has a line break in its name, and cannot be copied.`,
  );
}

/** Bytes of all that would be copied to a folder that is empty. */
export async function sizeOf(dir: string, { files, artefacts }: DeployPlan): Promise<number> {
  const all = [...files, ...artefacts.flatMap((artefact) => artefact.files)];
  const sizes = await Promise.all(all.map(async (file) => (await lstat(join(dir, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
