import { stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { parseCommand } from "../command-line.ts";
import { type Draft, type DraftGateway, type DraftJob, importInvalid, JobNames, type Note } from "./draft.ts";
import { type App, gatewayOf, isOneProcess, notesOnServed, servedByGateway, TAKEN_BY_GATEWAY } from "./pm2-cluster.ts";
import { foreignKey } from "./pm2-keys.ts";

/** pm2's ecosystem file, once it is data: `{ apps: [...] }`, a list of apps, or one app. */

/** What pm2 starts a file with when no interpreter is named. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  ".js": "node",
  ".cjs": "node",
  ".mjs": "node",
  ".ts": "node",
  ".py": "python3",
  ".rb": "ruby",
  ".sh": "bash",
  ".pl": "perl",
  ".php": "php",
};

export async function readEcosystem(content: unknown, file: string): Promise<Draft> {
  const { apps, notes } = appsOf(content, file);
  const names = new JobNames();
  const jobs: DraftJob[] = [];
  let gateway: DraftGateway | undefined;
  const served = servedByGateway(apps, dirname(file));
  for (const [index, app] of apps.entries()) {
    const script = app.script ?? app.cmd;
    if (typeof script !== "string" || script.trim() === "") throw importInvalid(file, `apps[${index}] has no "script"`);
    const wanted = typeof app.name === "string" ? app.name : basename(script.split(" ")[0]!, extname(script));
    const name = names.claim(wanted);
    if (name !== wanted) notes.push({ key: `apps.${wanted}.name`, reason: `is called "${name}" here` });
    const job = await jobOf(name, { ...app, script }, dirname(file));
    if (app === served) gateway = gatewayOf(app, job);
    else jobs.push(job);
    notes.push(...notesOn(app, `apps.${wanted}`, app === served ? [...TAKEN, ...TAKEN_BY_GATEWAY] : TAKEN));
    if (app === served) notes.push(...notesOnServed(app, `apps.${wanted}`));
  }
  if (apps.length === 0) throw importInvalid(file, `it has no "apps"`);
  return { jobs, notes, ...(gateway && { gateway }) };
}

function appsOf(content: unknown, file: string): { apps: App[]; notes: Note[] } {
  if (!isObject(content) && !Array.isArray(content)) throw importInvalid(file, "it exports no configuration");
  const one = isObject(content) && "script" in content ? [content] : undefined;
  const list = Array.isArray(content) ? content : (one ?? (content as App).apps);
  const apps = isObject(list) ? [list] : list;
  if (!Array.isArray(apps) || !apps.every(isObject)) throw importInvalid(file, `"apps" is not a list of apps`);
  const others =
    one !== undefined || Array.isArray(content) ? [] : Object.keys(content).filter((key) => key !== "apps");
  const notes = others.map((key) => ({ key, ...foreignKey(key) }));
  return { apps, notes };
}

async function jobOf(name: string, app: App & { script: string }, projectDir: string): Promise<DraftJob> {
  const cwd = resolve(projectDir, typeof app.cwd === "string" ? app.cwd : ".");
  const dir = relative(projectDir, cwd);
  const env = envOf(app);
  return {
    name,
    command: await commandOf(app, cwd),
    ...(dir !== "" && { dir: dir.startsWith("..") ? cwd : dir }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(typeof app.namespace === "string" && { labels: { namespace: app.namespace } }),
    restart: restartOf(app),
    ...(milliseconds(app.kill_timeout) !== undefined && { grace: milliseconds(app.kill_timeout)! }),
  };
}

async function commandOf(app: App & { script: string }, cwd: string): Promise<string | string[]> {
  const interpreter = app.interpreter ?? app.exec_interpreter;
  const args = words(app.args);
  const named = typeof interpreter === "string" && interpreter !== "none";
  // pm2 gives a script with blanks to a shell.
  if (/\s/.test(app.script.trim()) && !named && args.length === 0) return app.script.trim();
  const program = named ? interpreter : interpreter === "none" ? undefined : INTERPRETERS[extname(app.script)];
  if (program !== undefined) return [program, ...words(app.node_args ?? app.interpreter_args), app.script, ...args];
  const isLocal = !app.script.includes("/") && (await isFile(join(cwd, app.script)));
  return [isLocal ? `./${app.script}` : app.script, ...args];
}

function envOf({ env }: App): Record<string, string> {
  const entries = isObject(env) ? Object.entries(env) : [];
  return Object.fromEntries(entries.filter(([, value]) => isScalar(value)).map(([key, value]) => [key, String(value)]));
}

function restartOf(app: App): NonNullable<DraftJob["restart"]> {
  if (app.autorestart === false) return "no";
  const when = isOnlyZero(app.stop_exit_codes) ? "on-failure" : "always";
  const max = Number.isInteger(app.max_restarts) ? { max: Number(app.max_restarts) } : {};
  const delay = milliseconds(app.exp_backoff_restart_delay) ?? milliseconds(app.restart_delay);
  const backoff = delay === undefined ? {} : { backoff: delay };
  return "max" in max || delay !== undefined ? { when, ...max, ...backoff } : when;
}

/** One note for each key that has a value and no place here. */
function notesOn(app: App, path: string, taken: readonly string[]): Note[] {
  return Object.entries(app).flatMap(([key, value]): Note[] => {
    if (key === "env" && isObject(value)) {
      return Object.entries(value)
        .filter(([, entry]) => !isScalar(entry))
        .map(([variable]) => ({ key: `${path}.env.${variable}`, reason: "its value is not a text" }));
    }
    const isTaken = taken.includes(key) || (key === "stop_exit_codes" && isOnlyZero(value));
    const saysNothing = value === false || value === null || value === 0 || value === "" || isDefault(key, value);
    return isTaken || saysNothing ? [] : [{ key: `${path}.${key}`, ...foreignKey(key) }];
  });
}

const TAKEN =
  "name script cmd args interpreter exec_interpreter interpreter_args node_args cwd env namespace autorestart max_restarts restart_delay exp_backoff_restart_delay kill_timeout".split(
    " ",
  );

const isDefault = (key: string, value: unknown): boolean =>
  (key === "instances" && isOneProcess(value)) || (key === "exec_mode" && /^fork/.test(String(value)));

const isOnlyZero = (codes: unknown): boolean =>
  JSON.stringify(Array.isArray(codes) ? codes.map(Number) : [codes]) === "[0]";

/** pm2 writes times as milliseconds, or as "1600ms", "2s", "1m". */
function milliseconds(value: unknown): string | undefined {
  if (typeof value === "number" && value >= 0) return `${Math.round(value)}ms`;
  if (typeof value !== "string") return undefined;
  if (/^\d+$/.test(value)) return `${value}ms`;
  return /^\d+(ms|s|m|h)$/.test(value) ? value : undefined;
}

function words(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== "string" || value.trim() === "") return [];
  // pm2 starts no shell for arguments: `*` and `$` are themselves.
  const parsed = parseCommand(value);
  const isPlain = parsed.kind === "argv" && parsed.argv[0] !== "sh";
  return isPlain ? parsed.argv : value.trim().split(/\s+/);
}

const isObject = (value: unknown): value is App => value !== null && typeof value === "object" && !Array.isArray(value);

const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
