import { dirname, join, resolve } from "node:path";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { parseCommand } from "../command-line.ts";
import { configInvalid } from "../problems.ts";
import { type CheckedSource, checkFile, folderSource } from "./config-source.ts";
import { DEPLOYMENT_FIELDS, type DeploymentFile } from "./deployment-fields.ts";
import { isInside } from "./places.ts";
import { listOf } from "./route-values.ts";

/** A project's config/deployment.yaml, checked as a whole. */

export interface DeploymentConfig {
  file: string;
  hosts: readonly DeployHost[];
  keepCount: number;
  /** Deployed as sources, and built there. */
  sources: "none" | "all" | readonly string[];
  /** Absolute: copied besides. */
  include: readonly string[];
  /** From the switch until every worker there is healthy. */
  timeoutMs: number;
  /** Argument lists, in order. */
  hooks: { preBuild: readonly string[][]; preDeploy: readonly string[][]; postDeploy: readonly string[][] };
}

export interface DeployHost {
  /** Its own among the hosts. */
  name: string;
  /** `user@host`: ssh's argument. It never begins with `-`. */
  destination: string;
  /** Absent: as ssh is configured. */
  port?: number;
  /** Absolute, or relative to the home there. */
  path: string;
  /** The command of Warren there: an argument list. */
  warren: readonly string[];
  /** For `ssh -F`; absolute. */
  sshConfig?: string;
}

/** A host that no file names. */
export interface AdHocHost {
  destination: string;
  port?: number;
  path: string;
}

const DEPLOYMENT_FILE = "config/deployment.yaml";

/** @throws CONFIG_NOT_FOUND; CONFIG_INVALID with all problems */
export async function loadDeployment(dir: string): Promise<DeploymentConfig> {
  const path = join(resolve(dir), DEPLOYMENT_FILE);
  const source = await checkFile(path, DEPLOYMENT_FIELDS);
  if (source === undefined) {
    throw new WarrenError("CONFIG_NOT_FOUND", `${path} does not exist: it says where the project is deployed to.`, {
      fix: `mkdir -p ${quoteWord(dirname(path))} && printf 'hosts:\\n  - { host: user@host, path: /srv/site }\\n' > ${quoteWord(path)}`,
    });
  }
  return configOf(path, source, resolve(dir));
}

/** As `loadDeployment`, for one host that is written on a command line; the file, when there is one, says the rest. @throws USAGE, CONFIG_INVALID */
export async function deploymentTo(dir: string, host: AdHocHost): Promise<DeploymentConfig> {
  const path = join(resolve(dir), DEPLOYMENT_FILE);
  const source = (await checkFile(path, DEPLOYMENT_FIELDS)) ?? { ...folderSource(dir), value: undefined };
  const config = configOf(path, source, resolve(dir));
  const said: string[] = [];
  const judge = {
    report: (_at: string, message: string, hint?: string) => void said.push(hint ? `${message}; ${hint}` : message),
  };
  reportHost(host.destination, "host", judge);
  reportPath(host.path, "path", judge);
  if (said.length > 0) throw new WarrenError("USAGE", `The host ${said[0]}.`, { fix: "warren help gateway" });
  const { warren, sshConfig } = sharedOf(source, resolve(dir));
  const one = { ...host, name: host.destination, path: host.path.replace(/(?<=.)\/+$/, ""), warren };
  return { ...config, hosts: [{ ...one, ...(sshConfig !== undefined && { sshConfig }) }] };
}

type Source = Pick<CheckedSource<DeploymentFile>, "report" | "problems" | "value">;
type Reporter = Pick<Source, "report">;

function configOf(path: string, source: Source, dir: string): DeploymentConfig {
  const written: Partial<DeploymentFile> = source.value ?? {};
  const { hosts = [], keep, hooks = {}, sources = false, include = [], timeout } = written;
  const config: DeploymentConfig = {
    file: path,
    hosts: hostsOf(hosts, source, sharedOf(source, dir)),
    keepCount: keep ?? DEPLOYMENT_FIELDS.fields.keep.default,
    sources: typeof sources === "boolean" ? (sources ? "all" : "none") : sources,
    include: include.flatMap((name, index) => includedPath(name, `include[${index}]`, { source, dir })),
    timeoutMs: timeout ?? TIMEOUT_MS,
    hooks: {
      preBuild: commandsOf(hooks["pre-build"], "hooks.pre-build", source),
      preDeploy: commandsOf(hooks["pre-deploy"], "hooks.pre-deploy", source),
      postDeploy: commandsOf(hooks["post-deploy"], "hooks.post-deploy", source),
    },
  };
  if (source.problems.length > 0) throw configInvalid(path, source.problems);
  return config;
}

/** As `timeout` has it by default. */
const TIMEOUT_MS = 120_000;

interface Shared {
  warren: readonly string[];
  sshConfig?: string;
}

/** What holds for every host. */
function sharedOf(source: Source, dir: string): Shared {
  const { warren, ssh_config } = source.value ?? ({} as Partial<DeploymentFile>);
  return {
    warren: commandsOf(warren, "warren", source)[0] ?? ["warren"],
    ...(ssh_config === undefined ? {} : { sshConfig: resolve(dir, ssh_config) }),
  };
}

function includedPath(name: string, at: string, { source, dir }: { source: Source; dir: string }): string[] {
  const path = resolve(dir, name);
  if (path !== dir && isInside(path, dir)) return [path];
  source.report(at, `${JSON.stringify(name)} is no part of the project`);
  return [];
}

function hostsOf(written: DeploymentFile["hosts"], source: Source, shared: Shared): DeployHost[] {
  const names = new Set<string>();
  return written.map(({ host, port, path, name, warren }, index) => {
    const at = `hosts[${index}]`;
    if (host !== undefined) reportHost(host, `${at}.host`, source);
    if (path !== undefined) reportPath(path, `${at}.path`, source);
    const own = name ?? host ?? "";
    if (names.has(own))
      source.report(
        name === undefined ? at : `${at}.name`,
        `${own} is the name of another host`,
        'each gets its own: "name: …"',
      );
    names.add(own);
    const command = commandsOf(warren, `${at}.warren`, source)[0] ?? shared.warren;
    return {
      ...shared,
      ...{ name: own, destination: host, path: path?.replace(/(?<=.)\/+$/, ""), warren: command },
      ...(port !== undefined && { port }),
    };
  });
}

/** What ssh and rsync take for a host and nothing else: no option, no port, no path. */
function reportHost(host: string, at: string, source: Reporter): void {
  if (/^([A-Za-z0-9_][A-Za-z0-9._-]*@)?([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])$/.test(host)) return;
  const [, name = "", port] = /^([^:]+):(\d+)$/.exec(host) ?? [];
  const hint = port === undefined ? undefined : `did you mean "host: ${name}, port: ${port}"?`;
  source.report(at, `must be host or user@host, not ${JSON.stringify(host)}`, hint);
}

function reportPath(path: string, at: string, source: Reporter): void {
  const shown = JSON.stringify(path);
  if (!/^[A-Za-z0-9_./+@~ -]+$/.test(path) || path.startsWith("-") || path.trim() !== path)
    source.report(at, `must be a path of letters, digits, blanks and . _ / + @ -, not ${shown}`);
  else if (path.includes("~"))
    source.report(
      at,
      `${shown} has a ~; a path without a first slash is below the home`,
      path.startsWith("~/") && path.length > 2 ? `did you mean "${path.slice(2)}"?` : undefined,
    );
  else if (/(^|\/)\.\.(\/|$)/.test(path)) source.report(at, `${shown} leads upwards`);
  else if (/^[./]*$/.test(path)) source.report(at, `${shown} is no folder of its own`);
}

function commandsOf(written: string | readonly string[] | undefined, key: string, source: Source): string[][] {
  return listOf(written).flatMap((text, index) => {
    const parsed = parseCommand(text);
    if (parsed.kind === "argv") return [parsed.argv];
    source.report(
      typeof written === "string" ? key : `${key}[${index}]`,
      `${parsed.reason} in ${JSON.stringify(text)}`,
    );
    return [];
  });
}
