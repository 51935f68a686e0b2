import type { FrontLimits, FrontRoute, FrontTls, GatewayMode } from "./front-messages.ts";

/**
 * What the gateway needs of a project's configuration: `config/gateway` reads the files and gives it with every default, and the gateway keeps it beside what it
 * does. What a record of an older build may lack is optional here. Paths are absolute, times are milliseconds. Plain JSON.
 */
export interface ProjectConfig {
  dir: string;
  /** The folder's name. */
  project: string;
  /** An IP address. */
  host: string;
  /** 0: a free one. */
  port: number;
  mode: GatewayMode;
  /** Those of all workers among them. */
  routes: readonly FrontRoute[];
  /** By name. Those that are not enabled in this mode are not among them. */
  workers: readonly WorkerConfig[];
  /** The project's own public folder; it need not be there. */
  publicDir?: string;
  /** Addresses and networks. */
  trustedProxies: readonly string[];
  hasPublicMetrics: boolean;
  limits: Partial<FrontLimits>;
  /** Absent: plain HTTP alone. */
  tls?: FrontTls;
  /** First and last, both included. */
  ports: PortRange;
  /** What is read and does nothing, and what is no worker: in sentences, two at most. */
  warnings: readonly string[];
  /** Files and folders whose change may mean another configuration, those that are not there among them. */
  watched: readonly string[];
}

export interface PortRange {
  from: number;
  to: number;
}

export interface WorkerConfig {
  name: string;
  /** Its folder. */
  dir: string;
  type: "node" | "command" | "static" | "url";
  path: string;
  /** Host and path as a person writes them: `/api`, `api.example.org/`. With several hosts: the first. */
  route: string;
  /** Of a `node` worker. */
  entry?: string;
  /** False: only what was built of it is here (`bin/<name>`), as a deploy leaves it. Default: true. */
  hasSources?: boolean;
  /** Of a `command` worker: argument lists, run in its folder. */
  build?: readonly string[];
  command?: readonly string[];
  /** The command takes its listening socket as sd_listen_fds(3) has it. Default: false. */
  takesSocket?: boolean;
  /** Of a `url` worker. */
  target?: { host: string; port: number; isTls?: boolean; ca?: string };
  /** It need not be there. */
  publicDir?: string;
  /** 0 for `static` and `url`. */
  instances: number;
  env: Readonly<Record<string, string>>;
  /** Names in the person's environment that are passed on besides the usual ones; `X_*`: all that begin with it. */
  allowEnv: readonly string[];
  /** Folders outside of its own that it is made of. */
  sharedDirs: readonly string[];
  /** In its folder: names, or paths with `*` and `**` relative to it, that are no sources. */
  ignore?: readonly string[];
  isLive: boolean;
  health: HealthConfig;
  drainMs: number;
  /** From SIGTERM to SIGKILL. */
  stopGraceMs?: number;
  startTimeoutMs: number;
  buildTimeoutMs?: number;
  /** Absent: by mode. */
  probationMs?: number;
  holdMs?: number;
  /** Versions that are kept besides those in use. */
  keepCount: number;
  memoryBytesMax?: number;
}

export interface HealthConfig {
  path: string;
  /** Somebody has said that there is something at `path`. */
  isConfigured: boolean;
  intervalMs: number;
  timeoutMs: number;
  rise: number;
  fall: number;
}
