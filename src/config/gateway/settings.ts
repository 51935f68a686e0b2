import { isIP } from "node:net";
import { basename, join, resolve } from "node:path";
import type { GatewayMode } from "../../protocol/front-messages.ts";
import type { PortRange } from "../../protocol/gateway-config.ts";
import { PROJECT_FIELDS, type ProjectFile } from "../project-fields.ts";
import { PROJECT_FILES } from "../project-of.ts";
import { type CheckedSource, checkFile, folderSource, type Source } from "./config-source.ts";
import { DEPLOYED_FILE } from "./deployed-file.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import type { Notes } from "./notes.ts";
import { isInside, isThere } from "./places.ts";
import { publicDirOf } from "./public-dir.ts";
import { type PlacedRule, redirectsOf, rewritesOf } from "./rules.ts";
import type { TlsContext } from "./tls.ts";
import { readTqServerFile, type TqServerSettings } from "./tqserver-file.ts";
import { DEFAULTS, type WorkerDefaults } from "./worker-defaults.ts";

/** What holds for a project's gateway as a whole: the section `gateway` of its warren.yaml, then TQServer's config/server.yaml, then the defaults. */

export interface Settings {
  /** Without workers, routes and what follows from them. */
  config: Omit<GatewayConfig, "workers" | "routes" | "warnings" | "watched">;
  rules: readonly PlacedRule[];
  defaults: WorkerDefaults;
  /** Where `gateway.…` is reported. */
  source: Source;
  sources: readonly Source[];
  /** The project's file has a section `gateway`, or there is a file of TQServer's. */
  isWritten: boolean;
  /** `gateway.app`: the project itself is a worker. */
  app?: NonNullable<Section["app"]>;
  /** The names of the project's jobs. */
  jobs: ReadonlySet<string>;
}

/** As `loadProject` reads it. */
const PROJECT_FILE_BYTES_MAX = 1024 * 1024;

export async function readSettings(
  dir: string,
  { mode, notes, watched }: { mode?: GatewayMode; notes: Notes; watched: Set<string> },
): Promise<Settings> {
  const files = await projectSources(dir, watched);
  const theirs = await readTqServerFile(dir, notes, watched);
  const source: Source = files[0] ?? folderSource(dir);
  const section = files[0]?.value?.gateway;
  const written = section ?? {};
  const rules = [
    ...rewritesOf(written.rewrites, "gateway.rewrites", source),
    ...redirectsOf(written.redirects, "gateway.redirects", source),
  ];
  const workersDir = workersDirOf(dir, written, source, theirs);
  const deployed = (await isThere(join(dir, DEPLOYED_FILE))) ? "prod" : undefined;
  const resolvedMode = mode ?? deployed ?? written.mode ?? "dev";
  const config: Settings["config"] = {
    dir,
    project: basename(dir),
    host: hostOf(written, source),
    port: written.port ?? theirs.port ?? GATEWAY.port.default,
    mode: resolvedMode,
    workersDir,
    rules: rules.map(({ rule }) => rule),
    publicDir: await projectPublicDir({ dir, workersDir, written: written.public, source }),
    trustedProxies: trustedProxiesOf(written, source),
    hasPublicMetrics: written.public_metrics ?? theirs.hasPublicMetrics ?? false,
    limits: limitsOf(written, theirs),
    ports: portsOf(written, source, theirs),
    ...(await tlsOf(dir, written, { source, notes, watched })),
  };
  watched.add(workersDir);
  const theirSources = theirs.source === undefined ? [] : [theirs.source];
  return {
    ...{ config, rules, source },
    defaults: defaultsOf(written, resolvedMode, theirs),
    sources: [...(files.length > 0 ? files : [source]), ...theirSources],
    isWritten: section !== undefined || theirs.source !== undefined,
    ...(written.app !== undefined && { app: written.app }),
    jobs: new Set(files[0]?.value?.jobs?.keys()),
  };
}

const GATEWAY = PROJECT_FIELDS.fields.gateway.fields;
type Section = NonNullable<ProjectFile["gateway"]>;

async function projectSources(dir: string, watched: Set<string>): Promise<CheckedSource<ProjectFile>[]> {
  const found: CheckedSource<ProjectFile>[] = [];
  for (const name of PROJECT_FILES) {
    watched.add(join(dir, name));
    const source = await checkFile(join(dir, name), PROJECT_FIELDS, PROJECT_FILE_BYTES_MAX);
    if (source !== undefined) found.push(source);
  }
  if (found[1] !== undefined) found[1].report("", `${PROJECT_FILES[0]} stands beside it; keep one`);
  return found;
}

function defaultsOf(written: Section, mode: GatewayMode, theirs: TqServerSettings): WorkerDefaults {
  return {
    mode,
    isLive: written.live_reload ?? true,
    keepCount: written.keep ?? GATEWAY.keep.default,
    allowEnv: written.allow_env ?? [],
    healthTimeoutMs: theirs.healthTimeoutMs ?? DEFAULTS.healthTimeoutMs,
    startTimeoutMs: theirs.startTimeoutMs ?? DEFAULTS.startTimeoutMs,
    stopGraceMs: theirs.stopGraceMs ?? DEFAULTS.stopGraceMs,
  };
}

function hostOf({ host = GATEWAY.host.default }: Section, source: Source): string {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) return address;
  const meant: Record<string, string> = { localhost: "127.0.0.1", "*": "0.0.0.0", any: "0.0.0.0", all: "0.0.0.0" };
  const word = meant[host.toLowerCase()];
  source.report(
    "gateway.host",
    `must be an IP address, not ${JSON.stringify(host)}`,
    word && `did you mean "${word}"?`,
  );
  return GATEWAY.host.default;
}

function workersDirOf(dir: string, written: Section, source: Source, theirs: TqServerSettings): string {
  const [text, key, from] =
    written.workers === undefined && theirs.workers !== undefined
      ? ([theirs.workers, "workers.directory", theirs.source!] as const)
      : ([written.workers ?? GATEWAY.workers.default, "gateway.workers", source] as const);
  const path = resolve(dir, text);
  if (!isInside(path, dir)) from.report(key, `${path} lies outside of the project`);
  else if (path === dir) from.report(key, "is the project itself; workers have a folder of their own");
  return path;
}

async function projectPublicDir({
  dir,
  workersDir,
  written,
  source,
}: {
  dir: string;
  workersDir: string;
  written: string | undefined;
  source: Source;
}) {
  const hidden = [...PROJECT_FILES, "package.json", ".env", ".git"].map((name) => join(dir, name));
  const given = { dir, written: written ?? GATEWAY.public.default, within: dir, key: "gateway.public", source };
  return publicDirOf({ ...given, hidden: [...hidden, workersDir] });
}

function portsOf(
  { ports }: Section,
  source: Source,
  { ports: theirs, source: theirSource }: TqServerSettings,
): PortRange {
  const [, from = "", to = ""] = /^(\d+)-(\d+)$/.exec(ports ?? GATEWAY.ports.default)!;
  const isTheirs = ports === undefined && theirs !== undefined;
  const range = isTheirs
    ? { from: theirs.from ?? Number(from), to: theirs.to ?? Number(to) }
    : { from: Number(from), to: Number(to) };
  const report = (message: string): void => {
    if (isTheirs) theirSource!.report("workers.port_range_end", message);
    else source.report("gateway.ports", message);
  };
  if (range.from < 1 || range.to > 65_535) report(`must lie within 1-65535, not ${range.from}-${range.to}`);
  else if (range.from > range.to) report(`begins at ${range.from}, after its end ${range.to}`);
  return range;
}

function trustedProxiesOf({ trusted_proxies: written = [] }: Section, source: Source): string[] {
  for (const [index, text] of written.entries()) {
    const [address = "", bits, ...rest] = text.split("/");
    const family = isIP(address);
    const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
    if (family !== 0 && isNetwork && rest.length === 0) continue;
    const meant = text === "localhost" ? 'did you mean "127.0.0.1"?' : undefined;
    source.report(
      `gateway.trusted_proxies[${index}]`,
      `must be an address or a network such as 10.0.0.0/8, not ${JSON.stringify(text)}`,
      meant,
    );
  }
  return [...new Set(written)];
}

/** What it takes is only loaded where it is needed. */
async function tlsOf(dir: string, { tls }: Section, context: TlsContext) {
  if (tls === undefined) return {};
  const { readTls } = await import("./tls.ts");
  return { tls: await readTls(dir, tls, context) };
}

function limitsOf({ limits = {} }: Section, theirs: TqServerSettings): GatewayConfig["limits"] {
  const { head, body, idle, answer, body_size, body_rate, connections } = limits;
  return {
    ...theirs.limits,
    ...(head !== undefined && { headMs: head }),
    ...(body !== undefined && { bodyIdleMs: body }),
    ...(idle !== undefined && { idleMs: idle }),
    ...(answer !== undefined && { answerMs: answer }),
    ...(body_rate !== undefined && { bodyBytesPerS: body_rate }),
    ...(connections !== undefined && { connectionsMax: connections }),
    ...(body_size !== undefined && { bodyBytesMax: body_size }),
  };
}
