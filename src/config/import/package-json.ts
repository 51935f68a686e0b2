import { type Draft, type DraftJob, importInvalid, JobNames, type Note } from "./draft.ts";

/** The `scripts` of a package.json: each becomes a job that runs it by name, so that the package manager's environment stays what it is. */

/** npm runs these by itself (npm-scripts(7), life cycle scripts). */
const LIFECYCLE = new Set(
  "preinstall install postinstall prepublish preprepare prepare postprepare prepack postpack prepublishOnly publish postpublish dependencies preversion version postversion".split(
    " ",
  ),
);

const LOCK_FILES: readonly (readonly [file: string, manager: string])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
];

/** Packages that serve HTTP in the program that uses them. */
const SERVERS = ["express", "fastify", "koa", "hono", "@hapi/hapi", "@nestjs/core", "restify"];

/** @param siblings names of the files beside it; a lock file tells the package manager */
export function readPackageJson(text: string, file: string, siblings: ReadonlySet<string>): Draft {
  const scripts = scriptsOf(text, file);
  const manager = LOCK_FILES.find(([lock]) => siblings.has(lock))?.[1] ?? "npm";
  const started = ["dev", "start"].find((name) => Object.hasOwn(scripts, name));
  const names = new JobNames();
  const jobs: DraftJob[] = [];
  const notes: Note[] = [];
  for (const [script, content] of Object.entries(scripts)) {
    const reason = whyNot(script, scripts);
    if (reason !== undefined) {
      notes.push({ key: `scripts.${script}`, reason });
      continue;
    }
    const name = names.claim(script);
    if (name !== script) notes.push({ key: `scripts.${script}`, reason: `is called "${name}" here` });
    jobs.push({
      name,
      command: [manager, "run", script],
      ...(content.trim() !== "" && { description: content.trim() }),
      ...(script !== started && { autostart: false as const }),
    });
  }
  if (jobs.length === 0) throw importInvalid(file, "it has no scripts to run");
  const framework = SERVERS.find((name) => hasDependency(text, name));
  if (framework !== undefined && started !== undefined) {
    const instead = `gateway: { app: { command: ${manager} run ${started} } } starts it on $PORT, and replaces it without a failed request`;
    notes.push({ key: `scripts.${started}`, reason: `a job, although ${framework} serves HTTP`, instead });
  }
  return { jobs, notes };
}

/** `text` is JSON: its scripts have been read. */
function hasDependency(text: string, name: string): boolean {
  const { dependencies } = JSON.parse(text) as { dependencies?: unknown };
  return dependencies !== null && typeof dependencies === "object" && Object.hasOwn(dependencies, name);
}

function scriptsOf(text: string, file: string): Record<string, string> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw importInvalid(file, `it is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const scripts = content !== null && typeof content === "object" && "scripts" in content ? content.scripts : {};
  if (scripts === null || typeof scripts !== "object") throw importInvalid(file, `"scripts" is not an object`);
  for (const [name, script] of Object.entries(scripts)) {
    if (typeof script !== "string") throw importInvalid(file, `the script "${name}" is not a text`);
  }
  return scripts as Record<string, string>;
}

function whyNot(script: string, scripts: Record<string, string>): string | undefined {
  if (LIFECYCLE.has(script)) return "the package manager runs it by itself";
  const [, around] = /^(?:pre|post)(.+)$/.exec(script) ?? [];
  return around !== undefined && Object.hasOwn(scripts, around) ? `runs with "${around}"` : undefined;
}
