import type { ValueOf } from "../field.ts";
import { HOST_FIELD, METHODS_FIELD, REDIRECTS_FIELD, REWRITES_FIELD } from "./route-fields.ts";
import { ALLOW_ENV_FIELD, KEEP_FIELD, LIVE_RELOAD_FIELD } from "./shared-fields.ts";
import { TQSERVER_WORKER_FIELDS } from "./tqserver-fields.ts";

/** What a worker.yaml may hold: ours, and the keys of TQServer's. Read with `read-worker.ts`; described in docs/gateway-configuration.md. */

const text = { kind: "text" } as const;
const time = (description: string, written?: string) =>
  ({ kind: "duration", minMs: 1, ...(written !== undefined && { default: written }), description }) as const;

/** `null` is as good as not there. */
const command = (description: string) =>
  ({
    kind: "either",
    description,
    forms: [text, { kind: "nothing" }, { kind: "list", item: { kind: "scalar" }, minItems: 1 }],
  }) as const;

export const WORKER_FIELDS = {
  kind: "record",
  description: "One worker of a project's gateway.",
  fields: {
    path: {
      ...text,
      description: "Where it is reached: this path and all below it. Default: / for `index`, else the folder's name.",
    },
    host: HOST_FIELD,
    methods: METHODS_FIELD,
    strip: {
      kind: "flag",
      description: "The path is taken off before the worker sees it. Default: false; true in config/worker.yaml.",
    },
    rewrite: REWRITES_FIELD,
    redirect: REDIRECTS_FIELD,
    type: {
      kind: "choice",
      choices: ["node", "command", "static", "url", "go", "bun", "php"],
      description:
        "Without it: what else is written here (`command`, `url`, `entry`), then what is there (src/main.ts: node; only public/: static).",
    },
    entry: {
      ...text,
      default: "src/main.ts",
      description: "Of a node worker: TypeScript or JavaScript in its folder.",
    },
    build: command(
      "Of a command worker: what builds it, run in its folder. It leaves bin/<name>, or its result where it likes.",
    ),
    command: command("Of a command worker: what listens on $PORT, run in its folder."),
    url: { ...text, description: "Of a url worker: where it is, https://host:port without a path." },
    ca: {
      ...text,
      description:
        "Of a url worker by https: a PEM file with the authorities to trust there, instead of those that Node knows.",
    },
    public: {
      ...text,
      default: "public",
      description: "Its files that are served as they are, relative to its folder.",
    },
    instances: { kind: "whole", min: 1, max: 100, default: 1, description: "Processes that serve at a time." },
    env: {
      kind: "map",
      description: "Environment variables, over those of env_file.",
      keyPattern: "^[A-Za-z_][A-Za-z0-9_.-]*$",
      keyExpected: "a variable's name",
      value: { kind: "scalar" },
    },
    env_file: {
      kind: "either",
      description: "Files in .env syntax, relative to the worker's folder; a later one wins.",
      forms: [text, { kind: "list", item: text }],
    },
    allow_env: ALLOW_ENV_FIELD,
    health: {
      kind: "record",
      description: "How it is asked whether it is well.",
      fields: {
        path: {
          ...text,
          description: "Answered with 200 to 399 when it is well. Without it any answer below 500 is a good one.",
        },
        interval: time("From one question to the next.", "10s"),
        timeout: time("An answer that takes longer is a bad one.", "5s"),
        rise: {
          kind: "whole",
          min: 1,
          max: 100,
          default: 1,
          description: "Good answers in a row that make it healthy.",
        },
        fall: {
          kind: "whole",
          min: 1,
          max: 100,
          default: 3,
          description: "Bad answers in a row that make it unhealthy.",
        },
      },
      foreign: { url: "path", endpoint: "path", every: "interval", retries: "fall", passes: "rise", fails: "fall" },
    },
    drain: time("How long the version before may finish what it has begun.", "30s"),
    grace: time("Between SIGTERM and SIGKILL.", "5s"),
    start_timeout: time("From its start to its first good answer.", "30s"),
    build_timeout: time("A build that takes longer has failed.", "2m"),
    probation: time("How long the version before stays warm. Default: 2s in development, 30s in production."),
    hold: time("How long a request waits for it while it starts.", "30s"),
    memory: { kind: "size", description: "An instance that uses more is replaced." },
    keep: KEEP_FIELD,
    enabled: {
      kind: "either",
      default: true,
      description: "`development`: only in development.",
      forms: [{ kind: "flag" }, { kind: "choice", choices: ["development", "true", "false"] }],
    },
    live_reload: LIVE_RELOAD_FIELD,
    watch: {
      kind: "list",
      item: text,
      description:
        "Folders outside of its own that it is made of, relative to it; `../../shared` or `../../shared/**`.",
    },
    ignore: {
      kind: "list",
      item: text,
      description:
        "What in its folder is no source, so that a change makes no new version: names, or paths with `*` and `**` relative to it.",
    },
    takes_socket: {
      kind: "flag",
      default: false,
      description:
        "Of a command worker: it takes its listening socket as sd_listen_fds(3) has it, instead of binding $PORT.",
    },
    ...TQSERVER_WORKER_FIELDS,
  },
  foreign: {
    ...{ route: "path", prefix: "path", hosts: "host", domain: "host", method: "methods", strip_prefix: "strip" },
    ...{ kind: "type", main: "entry", entrypoint: "entry", script: "entry", run: "command", cmd: "command" },
    ...{ start: "command", exec: "command", target: "url", upstream: "url", proxy: "url", environment: "env" },
    ...{ healthcheck: "health", health_check: "health", drain_timeout: "drain", kill_timeout: "grace" },
    ...{ max_memory: "memory", memory_limit: "memory", replicas: "instances", workers: "instances" },
    ...{ static: "public", public_dir: "public", dotenv: "env_file", rewrites: "rewrite", redirects: "redirect" },
    ...{
      shared: "watch",
      include: "watch",
      exclude: "ignore",
      ignore_watch: "ignore",
      disabled: "enabled",
      versions: "keep",
      listen_fds: "takes_socket",
    },
  },
} as const;

export type WorkerFile = ValueOf<typeof WORKER_FIELDS>;
