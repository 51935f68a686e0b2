import type { FrontLimits, FrontRoute, FrontTls, GatewayMode } from "../protocol/front-messages.ts";

/** What the gateway needs of a project's configuration; `config/gateway` reads the files and gives it. All paths are absolute, all times milliseconds. */
export interface ProjectConfig {
  dir: string;
  /** The folder's name. */
  project: string;
  host: string;
  /** 0: a free one. */
  port: number;
  mode: GatewayMode;
  routes: readonly FrontRoute[];
  workers: readonly WorkerConfig[];
  /** The project's own public folder, when there is one. */
  publicDir?: string;
  trustedProxies: readonly string[];
  hasPublicMetrics: boolean;
  limits: Partial<FrontLimits>;
  /** Absent: plain HTTP alone. */
  tls?: FrontTls;
  /** First and last, both included. */
  ports: { from: number; to: number };
  /** Keys that are read and do nothing, in words. */
  warnings: readonly string[];
  /** Files and folders whose change may mean another configuration, those that are not there among them. */
  watched: readonly string[];
}

export interface WorkerConfig {
  name: string;
  /** Its folder. */
  dir: string;
  type: "node" | "command" | "static" | "url";
  /** Its path, and its whole route as a person writes it. */
  path: string;
  route: string;
  /** node */
  entry?: string;
  /** False: only what was built of it is here. Default: true. */
  hasSources?: boolean;
  /** command */
  build?: readonly string[];
  command?: readonly string[];
  takesSocket?: boolean;
  /** url */
  target?: { host: string; port: number; isTls?: boolean; ca?: string };
  publicDir?: string;
  instances: number;
  env: Readonly<Record<string, string>>;
  allowEnv: readonly string[];
  sharedDirs: readonly string[];
  /** In its folder, what is no source. */
  ignore?: readonly string[];
  isLive: boolean;
  health: { path: string; isConfigured: boolean; intervalMs: number; timeoutMs: number; rise: number; fall: number };
  drainMs: number;
  startTimeoutMs: number;
  stopGraceMs?: number;
  buildTimeoutMs?: number;
  probationMs?: number;
  holdMs?: number;
  keepCount: number;
  memoryBytesMax?: number;
}
