import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { ProjectConfig, WorkerConfig } from "../../protocol/gateway-config.ts";

/** A project's gateway as its files say it, checked as a whole and with every default filled in. */
export interface GatewayConfig extends ProjectConfig {
  workersDir: string;
  workers: readonly ConfiguredWorker[];
  /** Of the project as a whole; a worker has its own beside them. */
  rules: readonly RuleRoute[];
  publicDir: string;
  /**
   * What may mean another configuration: of a file, that it comes, goes or has another content; of a folder, that it comes or goes; of `workersDir` also the
   * names in it. Much of it is not there. So: the parents of all of these, as far as they are there, and `workersDir`, for these names.
   */
  watched: readonly string[];
}

export type RuleRoute = Extract<FrontRoute, { kind: "rewrite" } | { kind: "redirect" }>;

export interface ConfiguredWorker extends WorkerConfig {
  /** Its worker.yaml, when it has one. */
  file?: string;
  /** In lower case; empty: any. */
  hosts: readonly string[];
  /** Absent: all. */
  methods?: readonly string[];
  /** The path is taken off before the worker sees it. */
  strip: boolean;
  rules: readonly RuleRoute[];
  hasSources: boolean;
  takesSocket: boolean;
  ignore: readonly string[];
  stopGraceMs: number;
  buildTimeoutMs: number;
  holdMs: number;
}
