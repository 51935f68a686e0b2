import { statSync } from "node:fs";
import { resolve } from "node:path";
import { projectOf } from "../config/project-of.ts";
import type { NewJob } from "../protocol/messages.ts";
import type { OptionSpecs, Values } from "./command.ts";
import { CONDITION_HELP, parseCondition } from "./conditions.ts";
import type { Context } from "./context.ts";
import { shown, unknownChoice, usageError } from "./usage-error.ts";
import { directoryAsked, durationOf, sizeOf } from "./values.ts";

/** The flags of `add` and `run`, which stand before the command, and what becomes of them. */
export const NEW_JOB_OPTIONS = {
  description: { type: "string", short: "d", value: "TEXT", description: "say what it is for", group: "What it is" },
  name: { type: "string", value: "NAME", description: "a name by which every verb finds it", group: "What it is" },
  label: {
    type: "string",
    multiple: true,
    value: "KEY=VALUE",
    description: "a label; may be repeated",
    group: "What it is",
  },
  dir: {
    type: "string",
    value: "DIR",
    description: "the directory to run in; default: this one, of another machine its home",
    group: "What it is",
  },
  timeout: { type: "string", value: "DURATION", description: "stop it after this long", group: "How it ends" },
  grace: {
    type: "string",
    value: "DURATION",
    description: "time between the stop signal and SIGKILL",
    group: "How it ends",
  },
  "stop-signal": {
    type: "string",
    value: "SIGNAL",
    description: "the signal that stops it; default: TERM",
    group: "How it ends",
  },
  restart: {
    type: "string",
    value: "WHEN",
    description: "no, on-failure or always; on-failure:5 gives up after five",
    group: "How it ends",
  },
  "owner-pid": { type: "string", value: "PID", description: "the process that it belongs to", group: "How it ends" },
  "on-owner-death": {
    type: "string",
    value: "WHAT",
    choices: ["kill", "keep"],
    description: "kill (default) or keep it when its owner ends",
    group: "How it ends",
  },
  "depends-on": {
    type: "string",
    multiple: true,
    value: "NAME",
    description: "start when this one is ready; may be repeated",
    group: "When it starts",
  },
  ready: {
    type: "string",
    value: "CONDITION",
    description: `when it counts as ready: ${CONDITION_HELP}`,
    group: "When it starts",
  },
  autostart: {
    type: "boolean",
    description: "start it again after a reboot (warren boot enable)",
    group: "When it starts",
  },
  "log-max": { type: "string", value: "SIZE", description: "keep at most this much output of a run", group: "Output" },
  json: { type: "boolean", description: "print JSON", group: "Output" },
  quiet: { type: "boolean", short: "q", description: "print the id alone", group: "Output" },
} as const satisfies OptionSpecs;

const RESTARTS = ["no", "on-failure", "always"] as const;

/** What is sent to the server. @throws USAGE, DIRECTORY_NOT_FOUND */
export async function newJobOf(
  context: Context,
  values: Values<typeof NEW_JOB_OPTIONS>,
  operands: readonly string[],
): Promise<NewJob> {
  const { machine } = context;
  const workdir = directoryAsked(context, values.dir);
  if (machine && values["owner-pid"] !== undefined)
    throw usageError(`--owner-pid is a process of this machine, and the job is ${machine.name}'s.`);
  const fields: Record<string, unknown> = {
    name: values.name,
    project: machine ? undefined : projectOf(workdir),
    description: values.description,
    labels: labelsOf(values.label),
    timeout_ms: durationOf("--timeout", values.timeout),
    grace_ms: durationOf("--grace", values.grace),
    stop_signal: values["stop-signal"],
    restart: restartOf(values.restart),
    owner: ownerOf(values["owner-pid"], values["on-owner-death"]),
    depends_on: values["depends-on"]?.flatMap((names) => names.split(",")),
    ready: values.ready === undefined ? undefined : parseCondition("--ready", values.ready),
    autostart: values.autostart,
    log_max_bytes: sizeOf("--log-max", values["log-max"]),
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // A job of another machine has the environment of that one.
  const env = machine ? [] : environmentOf(context.env);
  return { command: await commandOf(machine ? undefined : workdir, operands), workdir, env, ...given };
}

/** As gob sends it. */
export const environmentOf = (env: Readonly<NodeJS.ProcessEnv>): string[] =>
  Object.entries(env).map(([key, value]) => `${key}=${value}`);

/**
 * The command as typed. One argument with blanks in it is a command line that somebody quoted as a whole and is split as a shell would, unless it is
 * the path of a file.
 */
async function commandOf(workdir: string | undefined, operands: readonly string[]): Promise<string[]> {
  const [only, ...more] = operands;
  if (only === undefined || only.trim() === "")
    throw usageError("There is no command to run.", "warren add npm run dev");
  if (more.length > 0 || !/\s/.test(only)) return [...operands];
  if (workdir !== undefined && statSync(resolve(workdir, only), { throwIfNoEntry: false })?.isFile()) return [only];
  const { parseCommand } = await import("../config/command-line.ts");
  const parsed = parseCommand(only);
  if (parsed.kind === "invalid")
    throw usageError(`The command ${JSON.stringify(only)} cannot be read: ${parsed.reason}.`);
  return parsed.argv;
}

function labelsOf(texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (!texts) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at === 0) throw usageError(`--label ${text} has no key. Write --label key${text}.`);
      if (at < 0) throw usageError(`--label ${shown(text)} has no value. Write --label ${text || "key"}=value.`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function restartOf(text: string | undefined): NewJob["restart"] {
  if (text === undefined) return undefined;
  const [word = "", max] = text.split(":");
  const when = RESTARTS.find((choice) => choice === word);
  if (!when) throw unknownChoice("--restart", word, RESTARTS);
  if (max === undefined) return { when };
  if (!/^\d{1,9}$/.test(max)) throw usageError(`--restart ${text}: after the colon stands how often, a whole number.`);
  return { when, max: Number(max) };
}

function ownerOf(pidText: string | undefined, onDeath: string | undefined): NewJob["owner"] {
  if (pidText === undefined) {
    if (onDeath !== undefined) throw usageError("--on-owner-death needs --owner-pid.", "warren add --owner-pid $$ …");
    return undefined;
  }
  if (!/^\d{1,9}$/.test(pidText)) throw usageError(`--owner-pid ${shown(pidText)} is no process id.`);
  return { pid: Number(pidText), on_death: onDeath === "keep" ? "keep" : "kill" };
}
