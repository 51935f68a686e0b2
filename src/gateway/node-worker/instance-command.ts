import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GatewayMode } from "../../protocol/front-messages.ts";

/** How an instance of a worker is started: arguments, directory, environment. */
export interface InstanceCommandOptions {
  worker: InstanceWorker;
  /** What was built; without one, `command` runs the worker's folder as it is. */
  artefactPath?: string;
  port: number;
  mode: GatewayMode;
  /** The person's environment, of which only what is allowed is passed on. */
  personEnv: Readonly<Record<string, string | undefined>>;
  /** Runs node workers; default: this Node. */
  nodePath?: string;
}

export interface InstanceWorker {
  name: string;
  kind: "node" | "command";
  /** Its folder: absolute. The working directory. */
  dir: string;
  /** The path under which it is reached: `/api`. */
  path: string;
  /** Its route as a person writes it: `api.example.org/`. */
  route: string;
  /** Of kind `command`: the argument list. `bin/<name>` in it stands for the artefact. */
  command?: readonly string[];
  /** Of its configuration. */
  env?: Readonly<Record<string, string>>;
  /** Names in the person's environment that it gets besides ALLOWED; `X_*`: all that begin with it. */
  allowEnv?: readonly string[];
  /** Kind `command`: it takes a socket as sd_listen_fds(3) has it. */
  takesSocket?: boolean;
}

export interface InstanceCommand {
  command: string[];
  workdir: string;
  /** "KEY=value" each. */
  env: string[];
  /** The bound socket is passed to it; otherwise ours is closed before it starts. */
  takesSocket: boolean;
}

/** What a program of any kind needs to behave as it does in the person's shell. */
const ALLOWED = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TERM", "NO_COLOR"],
  ...["NODE_ENV", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"],
];

/** Stacks in terms of the sources; then the socket on PORT. */
const nodeArguments = (): string[] => ["--enable-source-maps", "--require", join(ourFiles(), "preload.cjs")];

/** @throws when a node worker has no artefact, or a command worker no command: configuration has seen to both */
export function instanceCommand(options: InstanceCommandOptions): InstanceCommand {
  const { worker, artefactPath } = options;
  const command = worker.kind === "node" ? nodeCommand(options) : ownCommand(worker, artefactPath);
  return {
    command,
    workdir: worker.dir,
    env: environmentFor(options),
    takesSocket: worker.kind === "node" || worker.takesSocket === true,
  };
}

/** A node worker's process without its code: it waits at `socketPath` (at most 107 bytes) for `loadInto`. */
export function standbyCommand(
  options: Omit<InstanceCommandOptions, "artefactPath">,
  socketPath: string,
): InstanceCommand {
  const { worker, nodePath = process.execPath } = options;
  return {
    command: [nodePath, ...nodeArguments(), join(ourFiles(), "standby.cjs")],
    workdir: worker.dir,
    env: [...environmentFor(options), `WARREN_STANDBY=${socketPath}`],
    takesSocket: true,
  };
}

function nodeCommand({ artefactPath, nodePath = process.execPath, worker }: InstanceCommandOptions) {
  if (artefactPath === undefined) throw new Error(`the node worker ${worker.name} has no artefact`);
  return [nodePath, ...nodeArguments(), artefactPath];
}

/** The link `bin/<name>` names what serves now; this instance may be of the version that comes after. */
function ownCommand({ name, command }: InstanceWorker, artefactPath: string | undefined): string[] {
  if (command === undefined || command.length === 0) throw new Error(`the worker ${name} has no command`);
  if (artefactPath === undefined) return [...command];
  const link = new RegExp(`(?<![\\w./-])(?:\\./)?bin/${name}(?![\\w./-])`, "g");
  const isScript = command.length === 3 && command[1] === "-c";
  const path = isScript ? `'${artefactPath.replaceAll("'", `'\\''`)}'` : artefactPath;
  return command.map((word) => word.replace(link, () => path));
}

function environmentFor({ worker, artefactPath, port, mode, personEnv }: InstanceCommandOptions): string[] {
  const allowed = [...ALLOWED, ...(worker.allowEnv ?? [])];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(personEnv))
    if (value !== undefined && allowed.some((pattern) => matches(name, pattern))) env[name] = value;
  Object.assign(env, worker.env, {
    PORT: String(port),
    WORKER_PORT: String(port),
    WORKER_NAME: worker.name,
    WORKER_PATH: worker.path,
    WORKER_ROUTE: worker.route,
    WORKER_MODE: mode,
    WORKER_TYPE: worker.kind,
    WORKER_PRIVATE: join(worker.dir, "private"),
    ...(artefactPath === undefined ? {} : { WORKER_ARTEFACT: artefactPath }),
  });
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** `node-worker/` lies beside the built bundle, or beside the folder of its chunks. */
function ourFiles(): string {
  const [bundled, beside] = ["./node-worker/", "../node-worker/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return existsSync(bundled!) ? bundled! : beside!;
}
