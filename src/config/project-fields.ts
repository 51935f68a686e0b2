import { NAME_PATTERN } from "../protocol/names.ts";
import type { ValueOf } from "./field.ts";
import { GATEWAY_FIELDS } from "./gateway/gateway-fields.ts";

/** What a warren.yaml may hold. The validator, the schema in warren.schema.json and the types below are made from this table. */

const NAME = NAME_PATTERN.source;
const NAME_EXPECTED = "a name: a lower-case letter, then at most 31 of a-z, 0-9 and -";

/** Signals that a program may be asked to stop with (signal(7)). */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGABRT", "SIGKILL"] as const;
const BARE_SIGNALS = ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "ABRT", "KILL"] as const;

const name = { kind: "text", pattern: NAME, expected: NAME_EXPECTED } as const;
const text = { kind: "text" } as const;
const scalar = { kind: "scalar" } as const;

const after = (description: string) =>
  ({ kind: "either", description, forms: [name, { kind: "list", item: name }] }) as const;

const ready = {
  kind: "record",
  description: "What decides that the job is ready: for jobs that come after it, and for `wait`.",
  fields: {
    port: {
      kind: "either",
      description: "It listens on this TCP port, or on any with `any`.",
      forms: [
        { kind: "whole", min: 1, max: 65_535 },
        { kind: "choice", choices: ["any"] },
      ],
    },
    log: {
      kind: "text",
      format: "regex",
      expected: "a valid regular expression",
      description: "A line of its output matches this regular expression.",
    },
    http: {
      kind: "text",
      pattern: "^https?://[^\\s/]+",
      expected: "a URL that begins with http:// or https://",
      description: "This URL answers without an error.",
    },
    exit: { kind: "yes", description: "It ended with exit status 0: a step that others wait for." },
    idle: { kind: "duration", minMs: 1, description: "It has printed nothing for this long." },
    timeout: { kind: "duration", minMs: 1, description: "A run that is not ready after this long is stopped." },
  },
  exactlyOne: ["port", "log", "http", "exit", "idle"],
  foreign: { ready_log_line: "log", url: "http", http_get: "http" },
} as const;

const RESTART_WHEN = { kind: "choice", choices: ["no", "on-failure", "always"] } as const;

const restart = {
  kind: "either",
  description: "Whether a run that ended by itself is started again.",
  default: "no",
  forms: [
    RESTART_WHEN,
    {
      kind: "record",
      fields: {
        when: RESTART_WHEN,
        max: { kind: "whole", min: 0, max: 1_000_000, description: "Restarts in a row before it gives up." },
        backoff: {
          kind: "duration",
          description: "First delay; it doubles up to a minute. A longer one stays as it is.",
        },
      },
      required: ["when"],
      foreign: { delay: "backoff", policy: "when", max_restarts: "max", backoff_seconds: "backoff" },
    },
  ],
} as const;

const job = {
  kind: "record",
  fields: {
    command: {
      kind: "either",
      description:
        "A list of arguments, or a text. A text is given to `sh -c` only when it needs a shell (pipes, $VARIABLES, &&).",
      forms: [text, { kind: "list", item: { kind: "scalar" }, minItems: 1 }],
    },
    dir: { kind: "text", default: ".", description: "Where it runs, relative to this file." },
    env: {
      kind: "map",
      description: "Environment variables, over those of the caller and of env_file.",
      keyPattern: "^[^=]+$",
      keyExpected: "a variable's name",
      value: scalar,
    },
    env_file: {
      kind: "either",
      description: "Files in .env syntax, relative to this file; a later one wins.",
      forms: [text, { kind: "list", item: text }],
    },
    description: { kind: "text", description: "For people and agents, in lists." },
    labels: {
      kind: "map",
      description: "Words to choose jobs by.",
      keyPattern: "^[A-Za-z0-9][A-Za-z0-9._/-]*$",
      keyExpected: "a label: letters, digits and . _ / -",
      value: scalar,
    },
    ready,
    restart,
    after: after("Started when these jobs are ready."),
    depends_on: after("The same as `after`."),
    autostart: { kind: "flag", default: true, description: "Started by `warren up` without being named." },
    timeout: { kind: "duration", minMs: 1, description: "A run that takes longer is stopped." },
    grace: { kind: "duration", description: "Between the stop signal and SIGKILL." },
    stop_signal: {
      kind: "choice",
      choices: [...STOP_SIGNALS, ...BARE_SIGNALS],
      default: "SIGTERM",
      description: "What `stop` sends first.",
    },
    log_max_bytes: { kind: "size", description: "Cap of each of a run's two logs; the oldest output goes first." },
    blocked: {
      kind: "either",
      description: "Refuses to run it: true, or the reason that is shown.",
      forms: [{ kind: "flag" }, text],
    },
  },
  required: ["command"],
  atMostOne: ["after", "depends_on"],
  foreign: {
    cmd: "command",
    run: "command",
    script: "command",
    exec: "command",
    shell: "command",
    cwd: "dir",
    workdir: "dir",
    working_dir: "dir",
    directory: "dir",
    environment: "env",
    dotenv: "env_file",
    depends: "after",
    needs: "after",
    healthcheck: "ready",
    readiness_probe: "ready",
    autorestart: "restart",
    kill_timeout: "grace",
    disabled: "blocked",
  },
} as const;

export const PROJECT_FIELDS = {
  kind: "record",
  description: "The jobs, gateway and agents of a project.",
  fields: {
    jobs: {
      kind: "map",
      description: "Commands by name.",
      keyPattern: NAME,
      keyExpected: NAME_EXPECTED,
      value: job,
    },
    gateway: GATEWAY_FIELDS,
    agents: {
      kind: "map",
      description: "Agents by name: sessions with a conversation, which `warren up` starts and `warren down` ends.",
      keyPattern: NAME,
      keyExpected: NAME_EXPECTED,
      value: {
        kind: "record",
        fields: { agent: { kind: "text", description: "The command that is the agent; it speaks ACP." } },
        required: ["agent"],
        foreign: { command: "agent", run: "agent", cmd: "agent" },
      },
    },
  },
  foreign: { processes: "jobs", services: "jobs", tasks: "jobs", apps: "jobs", job: "jobs", daemons: "jobs" },
} as const;

export type ProjectFile = ValueOf<typeof PROJECT_FIELDS>;
export type JobFile = ValueOf<typeof job>;
export type ReadyFile = ValueOf<typeof ready>;
