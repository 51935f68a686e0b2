import { basename, join, resolve } from "node:path";
import type { HealthConfig } from "../../protocol/gateway-config.ts";
import { NAME_PATTERN } from "../../protocol/names.ts";
import type { Source } from "./config-source.ts";
import type { ConfiguredWorker } from "./gateway-config.ts";
import type { Notes } from "./notes.ts";
import { isFolder } from "./places.ts";
import { publicDirOf } from "./public-dir.ts";
import type { ReadWorker, WorkerContext } from "./read-worker.ts";
import { accepted, hostsOf, methodsOf, readPath } from "./route-values.ts";
import { redirectsOf, rewritesOf } from "./rules.ts";
import { sharedDirsOf } from "./shared-dirs.ts";
import { DEFAULTS, type WorkerDefaults } from "./worker-defaults.ts";
import { envOf } from "./worker-env.ts";
import type { WorkerFile } from "./worker-fields.ts";
import { programOf, type WorkerProgram } from "./worker-program.ts";

/** What a worker's file says, with every default filled in. What is wrong is reported to its source, and then there is no configuration. */

export interface WrittenWorker {
  dir: string;
  file: WorkerFile;
  source: Source;
  /** It stands where TQServer has it, so that what is not written is as there. */
  isTqServers: boolean;
  hasFile: boolean;
  /** In its folder besides what is written: what is no source of it. */
  ignore?: readonly string[];
}

export async function workerOf(
  written: WrittenWorker,
  context: WorkerContext,
): Promise<Pick<ReadWorker, "rules" | "config">> {
  const { dir, file, source } = written;
  const { defaults, notes, projectDir, watched } = context;
  const name = nameOf(written, notes);
  const program = await programOf({ name, dir, file, source, mayBeBuilt: defaults.mode === "prod" });
  const routing = routingOf(name, written);
  const publicDir = await publicOf(written, program, context);
  if (file.entry !== undefined) watched.add(resolve(dir, file.entry));
  const env = await envOf(written, watched);
  const sharedDirs = await sharedDirsOf(written, projectDir);
  const health = healthOf(file, routing.strip ? "/" : routing.path, defaults, source);
  const { placed, ...route } = routing;
  if (program === undefined || source.problems.length > 0) return { rules: placed };
  const hasProcesses = program.type === "node" || program.type === "command";
  const config: ConfiguredWorker = {
    ...{ name, dir, publicDir, env, sharedDirs, health },
    ...program,
    ...route,
    ...(written.hasFile && { file: source.file }),
    instances: hasProcesses ? instancesOf(file) : 0,
    ignore: [...(written.ignore ?? []), ...(file.ignore ?? [])],
    allowEnv: [...new Set([...defaults.allowEnv, ...(file.allow_env ?? [])])],
    isLive: file.live_reload ?? defaults.isLive,
    keepCount: file.keep ?? defaults.keepCount,
    ...(file.memory !== undefined && { memoryBytesMax: file.memory }),
    ...timesOf(file, defaults),
  };
  return { rules: placed, config };
}

function routingOf(name: string, { file, source, isTqServers }: WrittenWorker) {
  const hosts = hostsOf(file.host, "host", source);
  const path = pathOf(name, file, source);
  const rewrites = rewritesOf(file.rewrite, "rewrite", source, hosts);
  const placed = [...rewrites, ...redirectsOf(file.redirect, "redirect", source, hosts)];
  const rules = placed.map(({ rule }) => rule);
  const strip = file.strip ?? isTqServers;
  return { path, hosts, strip, rules, placed, route: `${hosts[0] ?? ""}${path}`, ...methodsOf(file.methods) };
}

async function publicOf(
  { dir, file, source }: WrittenWorker,
  program: WorkerProgram | undefined,
  { projectDir, watched }: WorkerContext,
): Promise<string> {
  const hidden = [join(dir, "worker.yaml"), join(dir, "worker.yml"), ...(program?.entry ? [program.entry] : [])];
  const place = { dir, written: file.public ?? "public", within: projectDir, hidden, key: "public", source };
  const publicDir = await publicDirOf(place);
  if (program?.type !== "static") return publicDir;
  watched.add(publicDir);
  if (!(await isFolder(publicDir)))
    source.report("public", `${publicDir} does not exist, and it is all that a static worker has`);
  return publicDir;
}

function timesOf(file: WorkerFile, defaults: WorkerDefaults) {
  return {
    drainMs: file.drain ?? DEFAULTS.drainMs,
    stopGraceMs: file.grace ?? defaults.stopGraceMs,
    startTimeoutMs: file.start_timeout ?? defaults.startTimeoutMs,
    buildTimeoutMs: file.build_timeout ?? DEFAULTS.buildTimeoutMs,
    holdMs: file.hold ?? DEFAULTS.holdMs,
    ...(file.probation !== undefined && { probationMs: file.probation }),
  };
}

/** The folder's, or what is written. In TQServer's files it may be any text, for people. */
function nameOf({ dir, file, source, isTqServers }: WrittenWorker, notes: Notes): string {
  const folder = basename(dir);
  const isGood = file.name !== undefined && NAME_PATTERN.test(file.name);
  if (isGood) return file.name!;
  if (file.name !== undefined && !isTqServers) source.report("name", notAName(file.name), nearName(file.name));
  else if (!NAME_PATTERN.test(folder)) {
    source.report("", `the folder's name is the worker's, and ${notAName(folder)}`, nearName(folder));
  } else if (file.name !== undefined)
    notes.ignored(source.file, "name", `it is no name for a command line; the folder's is taken, ${folder}`);
  return folder;
}

const notAName = (name: string): string =>
  `${JSON.stringify(name)} is not a name: a lower-case letter, then at most 31 of a-z, 0-9 and -`;

function nearName(name: string): string | undefined {
  const near = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 32);
  return NAME_PATTERN.test(near) ? `did you mean "${near}"?` : undefined;
}

function pathOf(name: string, { path }: WorkerFile, source: Source): string {
  if (path === undefined) return name === "index" ? "/" : `/${name}`;
  return accepted(readPath(path), "path", source) ?? "/";
}

const instancesOf = ({ instances, scaling }: WorkerFile): number => instances ?? Math.max(1, scaling?.min_workers ?? 1);

function healthOf({ health = {} }: WorkerFile, asked: string, defaults: WorkerDefaults, source: Source): HealthConfig {
  const path = health.path === undefined ? undefined : readTarget(health.path, source);
  return {
    path: path ?? asked,
    isConfigured: health.path !== undefined,
    intervalMs: health.interval ?? DEFAULTS.healthIntervalMs,
    timeoutMs: health.timeout ?? defaults.healthTimeoutMs,
    rise: health.rise ?? DEFAULTS.rise,
    fall: health.fall ?? DEFAULTS.fall,
  };
}

/** A path that the worker itself is asked for; it may have a query and an ending slash. */
function readTarget(text: string, source: Source): string {
  if (/^\/[\x21-\x7e]*$/.test(text) && !text.includes("#")) return text;
  source.report(
    "health.path",
    `must be a path such as /health, not ${JSON.stringify(text)}`,
    /^[\w-]/.test(text) ? `did you mean "/${text}"?` : undefined,
  );
  return "/";
}
