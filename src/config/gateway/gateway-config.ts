import type { FrontLimits, FrontRoute, FrontTls, GatewayMode } from "../../protocol/front-messages.ts";

/**
 * A project's gateway as its files say it, checked as a whole and with every default filled in. Paths are absolute, times are milliseconds. Plain JSON.
 */
export interface GatewayConfig {
  dir: string;
  /** The folder's name. */
  project: string;
  /** An IP address. */
  host: string;
  /** 0: a free one. */
  port: number;
  mode: GatewayMode;
  workersDir: string;
  /** By name. Those that are not enabled in this mode are not among them. */
  workers: readonly WorkerConfig[];
  /** Of the project as a whole; a worker has its own beside them. */
  rules: readonly RuleRoute[];
  /** All of them: `routesOf`. */
  routes: readonly FrontRoute[];
  /** The project's own public folder; it need not be there. */
  publicDir: string;
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
  /**
   * What may mean another configuration: of a file, that it comes, goes or has another content; of a folder, that it comes or goes; of `workersDir` also the
   * names in it. Much of it is not there. So: the parents of all of these, as far as they are there, and `workersDir`, for these names.
   */
  watched: readonly string[];
}

export interface PortRange {
  from: number;
  to: number;
}

export type RuleRoute = Extract<FrontRoute, { kind: "rewrite" } | { kind: "redirect" }>;

export interface WorkerConfig {
  name: string;
  /** Its folder. */
  dir: string;
  /** Its worker.yaml, when it has one. */
  file?: string;
  type: "node" | "command" | "static" | "url";
  path: string;
  /** Host and path as a person writes them: `/api`, `api.example.org/`. With several hosts: the first. */
  route: string;
  /** In lower case; empty: any. */
  hosts: readonly string[];
  /** Absent: all. */
  methods?: readonly string[];
  /** The path is taken off before the worker sees it. */
  strip: boolean;
  rules: readonly RuleRoute[];
  /** Of a `node` worker. */
  entry?: string;
  /** False: only what was built of it is here (`bin/<name>`), as a deploy leaves it. */
  hasSources: boolean;
  /** Of a `command` worker: argument lists, run in its folder. */
  build?: readonly string[];
  command?: readonly string[];
  /** The command takes its listening socket as sd_listen_fds(3) has it. */
  takesSocket: boolean;
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
  ignore: readonly string[];
  isLive: boolean;
  health: HealthConfig;
  drainMs: number;
  /** From SIGTERM to SIGKILL. */
  stopGraceMs: number;
  startTimeoutMs: number;
  buildTimeoutMs: number;
  /** Absent: by mode. */
  probationMs?: number;
  holdMs: number;
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
