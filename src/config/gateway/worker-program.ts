import { readlink } from "node:fs/promises";
import { extname, join, relative, resolve } from "node:path";
import { quoteWord } from "../../protocol/quote-word.ts";
import { suggest } from "../../protocol/suggest.ts";
import { parseCommand } from "../command-line.ts";
import { checkAuthorities } from "./authorities.ts";
import type { Source } from "./config-source.ts";
import type { ConfiguredWorker } from "./gateway-config.ts";
import { firstFile, isFile, isFolder, isInside, isThere, namesIn, realPathOf } from "./places.ts";
import { goCommand } from "./tqserver-worker.ts";
import type { WorkerFile } from "./worker-fields.ts";

/** What of a worker is run, by its worker.yaml and by what is in its folder. */

export type WorkerProgram = Pick<
  ConfiguredWorker,
  "type" | "entry" | "hasSources" | "build" | "command" | "takesSocket" | "target"
>;

export interface WorkerPlace {
  name: string;
  dir: string;
  file: WorkerFile;
  source: Source;
  /** Only what was built need be there, as a deploy leaves it. */
  mayBeBuilt: boolean;
}

/** In this order. */
export const NODE_ENTRIES = ["src/main.ts", "src/main.mts", "src/main.js", "src/main.mjs", "src/main.cjs"] as const;
const GO_ENTRY = "src/main.go";

const CONTENT = `${NODE_ENTRIES.slice(0, -1).join(", ")} or ${NODE_ENTRIES.at(-1)}, nor a public/ without src/`;

/** What makes a folder a worker, to stand after "there is no". */
export const LOOKED_FOR = `worker.yaml, ${CONTENT}`;

type Type = NonNullable<WorkerFile["type"]>;

/** What is in a folder, for workers whose type is not written. Undefined: nothing that could be one. */
export async function typeOfFolder(dir: string, name: string): Promise<"node" | "go" | "static" | undefined> {
  if ((await firstFile(dir, NODE_ENTRIES)) !== undefined) return "node";
  if (await isFile(join(dir, GO_ENTRY))) return "go";
  // It was built before, so that its entry is being replaced, or has stayed where it was deployed from.
  if ((await isThere(join(dir, "bin", name))) || (await artefactsIn(dir, name)).some(isScript)) return "node";
  return (await isFolder(join(dir, "public"))) && !(await isThere(join(dir, "src"))) ? "static" : undefined;
}

/** Undefined: what is wrong has been reported. */
export async function programOf(place: WorkerPlace): Promise<WorkerProgram | undefined> {
  const { name, dir, file, source } = place;
  const type = file.type ?? typeOfKeys(file) ?? (await typeOfFolder(dir, name));
  if (type === undefined) {
    const missing = `what it is: it has no "type", "command", "url" or "entry", and there is no ${CONTENT}`;
    // A misspelt key has been said, and may be what is missing.
    if (source.problems.length === 0) source.report("", `${name} does not say ${missing}`);
    return undefined;
  }
  refuseForeignKeys(type, file, source);
  switch (type) {
    case "node":
      return nodeProgram(place);
    case "static":
      return { type, hasSources: true, takesSocket: false };
    case "url":
      return urlProgram(place);
    case "php":
      source.report(
        "type",
        "php (by php-fpm) is not implemented",
        'php can serve by itself: "type: command" and "command: php -S 127.0.0.1:$PORT -t public"',
      );
      return undefined;
    case "go":
      return await commandProgram(place, goCommand(name));
    case "bun":
      return bunProgram(place);
    case "command":
      return await commandProgram(place, {});
  }
}

function typeOfKeys({ command, url, entry }: WorkerFile): Type | undefined {
  if (typeof command === "string" || Array.isArray(command)) return "command";
  if (url !== undefined) return "url";
  return entry === undefined ? undefined : "node";
}

const PROGRAM_KEYS: Record<string, readonly Type[]> = {
  entry: ["node"],
  build: ["command", "go", "bun"],
  command: ["command", "go", "bun"],
  takes_socket: ["command", "go", "bun"],
  url: ["url"],
  ca: ["url"],
};
/** They are for processes of ours. */
const PROCESS_KEYS = [
  "instances",
  "env",
  "env_file",
  "allow_env",
  "memory",
  "start_timeout",
  "build_timeout",
  "probation",
  "grace",
  "watch",
  "keep",
];

function refuseForeignKeys(type: Type, file: WorkerFile, source: Source): void {
  const written = (key: string): boolean => (file as Record<string, unknown>)[key] != null;
  for (const [key, types] of Object.entries(PROGRAM_KEYS)) {
    if (!written(key) || types.includes(type)) continue;
    source.report(key, `is for workers of type ${types.join(", ")}, and this one is of type ${type}`);
  }
  if (type !== "static" && type !== "url") return;
  for (const key of PROCESS_KEYS)
    if (written(key)) source.report(key, `is for processes, and a worker of type ${type} has none`);
}

async function nodeProgram(place: WorkerPlace): Promise<WorkerProgram | undefined> {
  const { name, dir, file, source, mayBeBuilt } = place;
  const entry = file.entry === undefined ? await firstFile(dir, NODE_ENTRIES) : resolve(dir, file.entry);
  const program = { type: "node", hasSources: true, takesSocket: true } as const;
  if (entry !== undefined && (await isFile(entry))) {
    if (!isInside(await realPathOf(entry), await realPathOf(dir))) {
      source.report("entry", `${relative(dir, entry)} lies outside of ${dir}`);
      return undefined;
    }
    return { ...program, entry };
  }
  const wanted = entry ?? join(dir, NODE_ENTRIES[0]);
  if (mayBeBuilt && (await isThere(join(dir, "bin", name)))) return { ...program, entry: wanted, hasSources: false };
  if (mayBeBuilt && (await reportLostLink(place))) return undefined;
  source.report("entry", `${relative(dir, wanted)} does not exist in ${dir}`, await nearestEntry(dir, wanted));
  return undefined;
}

/** What lies in the same folder under a similar name, or has that name and another extension. */
async function nearestEntry(dir: string, wanted: string): Promise<string | undefined> {
  const folder = resolve(wanted, "..");
  if (!isInside(folder, dir)) return undefined;
  const names = (await namesIn(folder)).filter((name) => /\.[cm]?[jt]sx?$/.test(name));
  const base = wanted.slice(folder.length + 1);
  const stem = base.slice(0, base.length - extname(base).length);
  const found =
    names.find((name) => name.slice(0, name.length - extname(name).length) === stem) ??
    suggest(base, names) ??
    (names.length === 1 ? names[0] : undefined);
  return found === undefined ? undefined : `did you mean "entry: ${relative(dir, join(folder, found))}"?`;
}

interface ImpliedCommand {
  build?: readonly string[];
  command?: readonly string[];
}

async function commandProgram(place: WorkerPlace, implied: ImpliedCommand): Promise<WorkerProgram | undefined> {
  const { file, source, mayBeBuilt } = place;
  const build = argumentsOf(file.build, "build", source) ?? implied.build;
  const command = argumentsOf(file.command, "command", source) ?? implied.command;
  if (command === undefined) {
    // A misspelt key has been said, as a text that is no command.
    if (file.command == null && source.problems.length === 0)
      source.report("", `has no "command"`, 'a worker listens on $PORT: "command: ./serve --port $PORT"');
    return undefined;
  }
  const takesSocket = file.takes_socket ?? false;
  const isDeployed = mayBeBuilt && build !== undefined && (await isDeployedCommand(place));
  return { type: "command", hasSources: !isDeployed, takesSocket, command, ...(build !== undefined && { build }) };
}

/** There is no src/, and the link leads to an artefact that was not built here: a build writes down what it was made of, beside it. */
async function isDeployedCommand(place: WorkerPlace): Promise<boolean> {
  const { name, dir } = place;
  if (await isThere(join(dir, "src"))) return false;
  const target = await readlink(join(dir, "bin", name)).catch(() => undefined);
  if (target !== undefined) return !(await isThere(join(dir, "bin", `.${target}.json`)));
  return reportLostLink(place);
}

/** Artefacts that were not built here, and no link to one of them: which is meant is not known. */
async function reportLostLink({ name, dir, source }: WorkerPlace): Promise<boolean> {
  if (await isThere(join(dir, "src"))) return false;
  const artefacts = await artefactsIn(dir, name);
  if (artefacts.length === 0 || (await isThere(join(dir, "bin", name)))) return false;
  source.report(
    "",
    `bin/${name}, the link to the version that serves, is missing; there ${artefacts.length === 1 ? "is" : "are"} ${artefacts.join(", ")}`,
    `ln -s ${quoteWord(artefacts.at(-1)!)} ${quoteWord(join(dir, "bin", name))}`,
  );
  return true;
}

const isScript = (name: string): boolean => /\.[cm]js$/.test(name);

/** Names of those that were not built here. */
async function artefactsIn(dir: string, name: string): Promise<string[]> {
  const names = await namesIn(join(dir, "bin"));
  return names.filter((one) => {
    const version = one.replace(/\.[cm]js$/, "").slice(name.length + 1);
    const isArtefact = one.startsWith(`${name}-`) && /^[0-9a-f]+$/.test(version);
    return isArtefact && !names.includes(`.${name}-${version}.json`);
  });
}

async function bunProgram(place: WorkerPlace): Promise<WorkerProgram | undefined> {
  const { dir, file, source } = place;
  const entry = file.bun?.entrypoint ?? "index.ts";
  if (file.command == null && !(await isFile(resolve(dir, entry)))) {
    source.report("bun.entrypoint", `${entry} does not exist in ${dir}`);
    return undefined;
  }
  const hasPackages = await isFile(join(dir, "package.json"));
  return await commandProgram(place, {
    command: ["bun", "run", entry],
    ...(hasPackages && { build: ["bun", "install"] }),
  });
}

/** As the jobs of a warren.yaml: a text gets a shell only when it needs one. */
function argumentsOf(written: WorkerFile["command"], key: string, source: Source): readonly string[] | undefined {
  if (written === undefined || written === null) return undefined;
  if (typeof written !== "string") return written;
  const parsed = parseCommand(written);
  if (parsed.kind === "argv") return parsed.argv;
  source.report(key, `${parsed.reason} in ${JSON.stringify(written)}`);
  return undefined;
}

async function urlProgram({ dir, file, source }: WorkerPlace): Promise<WorkerProgram | undefined> {
  const written = file.url;
  if (written === undefined) {
    source.report("", 'has no "url"', '"url: http://127.0.0.1:3000"');
    return undefined;
  }
  const url = URL.parse(written);
  const refuse = (message: string, suggestion?: string): undefined =>
    source.report("url", message, suggestion) as undefined;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "")
    return refuse(
      `must be a URL such as http://127.0.0.1:3000, not ${JSON.stringify(written)}`,
      /^[\w.-]+(:\d+)?\/?$/.test(written) ? `did you mean "http://${written}"?` : undefined,
    );
  if (url.username !== "" || url.password !== "")
    return refuse("holds a name or a password, which would be sent to nobody");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    return refuse(
      `${JSON.stringify(written)} has a path, and the path is what was asked for`,
      `did you mean "${url.origin}"?`,
    );
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (port === 0) return refuse("port 0 is no port to connect to");
  if (file.ca !== undefined && !isTls) source.report("ca", `is for https, and ${url.origin} is not`);
  const ca = file.ca === undefined ? undefined : resolve(dir, file.ca);
  if (ca !== undefined) await checkAuthorities(ca, source);
  const target = { host, port, ...(isTls && { isTls }), ...(ca !== undefined && { ca }) };
  return { type: "url", hasSources: true, takesSocket: false, target };
}
