import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import type { RestartPolicy } from "../protocol/units.ts";
import { type Checked, checkYaml } from "./check.ts";
import { parseCommand } from "./command-line.ts";
import { dependencyProblems } from "./dependencies.ts";
import { configInvalid, type Problem } from "./problems.ts";
import { type JobFile, PROJECT_FIELDS, type ProjectFile, type ReadyFile } from "./project-fields.ts";
import { PROJECT_FILES } from "./project-of.ts";
import { readText } from "./read-text.ts";

/** The jobs and agents of a project's warren.yaml, checked as a whole: it is taken without a problem, or not at all. */

const [PROJECT_FILE, OTHER_PROJECT_FILE] = PROJECT_FILES;

export interface Project {
  /** Absolute. */
  file: string;
  dir: string;
}

export interface ProjectConfig extends Project {
  /** In the file's order. */
  jobs: JobConfig[];
  /** Where its workers are: absolute. The rest of the section is `gateway/load-gateway.ts`'s. */
  gateway: { workersDir: string };
  agents: AgentConfig[];
}

export interface JobConfig {
  name: string;
  command: string[];
  /** Absolute. */
  dir: string;
  /** Of `env_file` and `env`, the latter winning. */
  env: Map<string, string>;
  description?: string;
  labels: Map<string, string>;
  ready?: ReadyFile;
  restart?: RestartPolicy;
  after: string[];
  autostart: boolean;
  timeoutMs?: number;
  graceMs?: number;
  /** With "SIG". */
  stopSignal?: string;
  logMaxBytes?: number;
  blocked: boolean;
}

export interface AgentConfig {
  name: string;
  command: string[];
}

/**
 * The project of a directory: the nearest warren.yaml, there or above; undefined without one.
 * @throws CONFIG_AMBIGUOUS when warren.yaml and warren.yml stand side by side.
 */
export async function findProject(from: string): Promise<Project | undefined> {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const files = [join(dir, PROJECT_FILE), join(dir, OTHER_PROJECT_FILE)];
    const found = await Promise.all(files.map(isFile));
    if (found[0] && found[1]) {
      throw new WarrenError("CONFIG_AMBIGUOUS", `${dir} has both ${PROJECT_FILE} and ${OTHER_PROJECT_FILE}.`, {
        fix: `rm ${quoteWord(files[1]!)}`,
      });
    }
    const file = files[found.indexOf(true)];
    if (file !== undefined) return { file, dir };
    if (dir === dirname(dir)) return undefined;
  }
}

/**
 * @throws CONFIG_INVALID with all problems (`detail.problems`) and a message to print; CONFIG_NOT_FOUND; CONFIG_UNREADABLE.
 */
export async function loadProject(file: string): Promise<ProjectConfig> {
  const path = resolve(file);
  const text = await readText(path);
  if (text === undefined) throw new WarrenError("CONFIG_NOT_FOUND", `${path} does not exist.`);
  const { config, problems } = await parseProject(text, path);
  if (problems.length > 0) throw configInvalid(path, problems);
  return config;
}

/** Reads the files that `env_file` names; `config` holds what could be read, whole only without problems. */
export async function parseProject(
  text: string,
  file: string,
): Promise<{ config: ProjectConfig; problems: Problem[] }> {
  const dir = dirname(resolve(file));
  const checked = checkYaml(text, file, PROJECT_FIELDS);
  const written: ProjectFile = checked.value ?? {};
  if (checked.problems.length === 0 && Object.keys(written).length === 0) {
    checked.report("", "holds nothing", 'a job is written as "jobs: { web: { command: npm run dev } }"');
  }
  const jobs: JobConfig[] = [];
  for (const [name, job] of written.jobs ?? []) jobs.push(await jobOf(name, job, dir, checked));
  checkDependencies(jobs, written, checked);
  const workersDir = resolve(dir, written.gateway?.workers ?? PROJECT_FIELDS.fields.gateway.fields.workers.default);
  const config = { file: resolve(file), dir, jobs, gateway: { workersDir }, agents: agentsOf(written, checked) };
  return { config, problems: checked.problems };
}

async function jobOf(name: string, job: JobFile, dir: string, checked: Checked<unknown>): Promise<JobConfig> {
  const { ready, restart, timeout, grace, stop_signal, log_max_bytes, blocked } = job;
  // A blocked job never runs, so that its reason is what there is to say about it.
  const description = typeof blocked === "string" ? blocked : job.description;
  return {
    name,
    command: commandOf(name, job, checked),
    dir: resolve(dir, job.dir ?? "."),
    env: await envOf(name, job, dir, checked),
    labels: job.labels ?? new Map(),
    after: listOf(job.after ?? job.depends_on),
    autostart: job.autostart ?? true,
    blocked: blocked !== undefined && blocked !== false,
    ...(description !== undefined && { description }),
    ...(ready !== undefined && { ready }),
    ...(restart !== undefined && { restart: restartOf(restart) }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(grace !== undefined && { graceMs: grace }),
    ...(stop_signal !== undefined && { stopSignal: stop_signal.startsWith("SIG") ? stop_signal : `SIG${stop_signal}` }),
    ...(log_max_bytes !== undefined && { logMaxBytes: log_max_bytes }),
  };
}

function commandOf(name: string, { command }: JobFile, checked: Checked<unknown>): string[] {
  return Array.isArray(command) ? command : splitCommand(`jobs.${name}.command`, command, checked);
}

function splitCommand(field: string, command: string | undefined, checked: Checked<unknown>): string[] {
  if (command === undefined) return []; // the checker has said so
  const parsed = parseCommand(command);
  if (parsed.kind === "argv") return parsed.argv;
  checked.report(field, `${parsed.reason} in ${JSON.stringify(command)}`);
  return [];
}

async function envOf(name: string, job: JobFile, dir: string, checked: Checked<unknown>): Promise<Map<string, string>> {
  const env = new Map<string, string>();
  for (const [index, file] of listOf(job.env_file).entries()) {
    const path = typeof job.env_file === "string" ? `jobs.${name}.env_file` : `jobs.${name}.env_file[${index}]`;
    const text = await readText(resolve(dir, file)).catch((error: Error) => error);
    if (text === undefined) checked.report(path, `${resolve(dir, file)} does not exist`);
    else if (text instanceof Error) checked.report(path, text.message);
    else for (const [key, value] of Object.entries(parseEnv(text))) env.set(key, value ?? "");
  }
  for (const [key, value] of job.env ?? []) env.set(key, value);
  return env;
}

function restartOf(restart: NonNullable<JobFile["restart"]>): RestartPolicy {
  if (typeof restart === "string") return { when: restart };
  const { when, max, backoff } = restart;
  return { when, ...(max !== undefined && { max }), ...(backoff !== undefined && { backoff_ms: backoff }) };
}

function checkDependencies(jobs: readonly JobConfig[], written: ProjectFile, checked: Checked<unknown>): void {
  const after = new Map(jobs.map((job) => [job.name, job.after]));
  // A job that the checker dropped is not an unknown name: its own problem has been said.
  const dropped = new Set(checked.problems.map(({ field }) => field));
  for (const { job, dependency, message, suggestion } of dependencyProblems(after)) {
    if (dropped.has(`jobs.${dependency}`) && !after.has(dependency)) continue;
    const file = written.jobs?.get(job);
    const key = file?.after === undefined ? "depends_on" : "after";
    const list = file?.[key];
    const index = typeof list === "string" ? "" : `[${(list ?? []).indexOf(dependency)}]`;
    checked.report(`jobs.${job}.${key}${index}`, message, suggestion);
  }
}

const agentsOf = ({ agents = new Map() }: ProjectFile, checked: Checked<unknown>): AgentConfig[] =>
  [...agents].map(([name, { agent }]) => ({ name, command: splitCommand(`agents.${name}.agent`, agent, checked) }));

const listOf = (value: string | readonly string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : [...value];

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
