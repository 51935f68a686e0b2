import { join, resolve } from "node:path";
import { WarrenError } from "../../protocol/errors.ts";
import { parseCommand } from "../command-line.ts";
import { configInvalid } from "../problems.ts";
import { type CheckedSource, checkFile } from "./config-source.ts";
import { DEPLOYMENT_FIELDS, type DeploymentFile } from "./deployment-fields.ts";
import { listOf } from "./route-values.ts";

/** A project's config/deployment.yaml, checked as a whole. */

export interface DeploymentConfig {
  file: string;
  hosts: readonly DeployHost[];
  keepCount: number;
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
  /** Absolute, or relative to the home there; of characters that no shell takes for anything else. */
  path: string;
}

export const DEPLOYMENT_FILE = "config/deployment.yaml";

/** @throws CONFIG_NOT_FOUND; CONFIG_INVALID with all problems */
export async function loadDeployment(dir: string): Promise<DeploymentConfig> {
  const path = join(resolve(dir), DEPLOYMENT_FILE);
  const source = await checkFile(path, DEPLOYMENT_FIELDS);
  if (source === undefined) {
    throw new WarrenError("CONFIG_NOT_FOUND", `${path} does not exist: it says where the project is deployed to.`, {
      fix: `printf 'hosts:\\n  - { host: user@host, path: /srv/site }\\n' > ${path}`,
    });
  }
  const { hosts = [], keep, hooks = {} } = source.value ?? ({} as Partial<DeploymentFile>);
  const config: DeploymentConfig = {
    file: path,
    hosts: hostsOf(hosts, source),
    keepCount: keep ?? DEPLOYMENT_FIELDS.fields.keep.default,
    hooks: {
      preBuild: commandsOf(hooks["pre-build"], "hooks.pre-build", source),
      preDeploy: commandsOf(hooks["pre-deploy"], "hooks.pre-deploy", source),
      postDeploy: commandsOf(hooks["post-deploy"], "hooks.post-deploy", source),
    },
  };
  if (source.problems.length > 0) throw configInvalid(path, source.problems);
  return config;
}

type Source = CheckedSource<DeploymentFile>;

function hostsOf(written: DeploymentFile["hosts"], source: Source): DeployHost[] {
  const names = new Set<string>();
  return written.map(({ host, port, path, name }, index) => {
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
    return { name: own, destination: host, path: path?.replace(/(?<=.)\/+$/, ""), ...(port !== undefined && { port }) };
  });
}

/** What ssh and rsync take for a host and nothing else: no option, no port, no path. */
function reportHost(host: string, at: string, source: Source): void {
  if (/^([A-Za-z0-9_][A-Za-z0-9._-]*@)?([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])$/.test(host)) return;
  const [, name = "", port] = /^([^:]+):(\d+)$/.exec(host) ?? [];
  const hint = port === undefined ? undefined : `did you mean "host: ${name}, port: ${port}"?`;
  source.report(at, `must be host or user@host, not ${JSON.stringify(host)}`, hint);
}

function reportPath(path: string, at: string, source: Source): void {
  const shown = JSON.stringify(path);
  if (!/^[A-Za-z0-9_./+@~-]+$/.test(path) || path.startsWith("-"))
    source.report(at, `must be a path of letters, digits and . _ / + @ -, not ${shown}`);
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
