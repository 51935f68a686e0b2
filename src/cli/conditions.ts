import { parseDuration } from "../protocol/durations.ts";
import type { Condition } from "../protocol/units.ts";
import { shown, usageError } from "./usage-error.ts";

/** Conditions as they are typed after `--for`, `--wait-for` and `--ready`. */
export const CONDITION_HELP = "exit, port, port=3000, log=TEXT, log=/RE/, http=URL, idle=30s";

/** @throws USAGE */
export function parseCondition(flag: string, text: string): Condition {
  const { kind, value } = split(text);
  switch (kind) {
    case "exit":
      if (value === undefined) return { kind: "exit" };
      break;
    case "port":
      return value === undefined ? { kind: "port" } : { kind: "port", port: portOf(flag, value) };
    case "log":
      if (value) return logCondition(flag, value);
      break;
    case "http":
      if (value) return { kind: "http", url: urlOf(flag, value) };
      break;
    case "idle":
      if (value) return { kind: "idle", idle_ms: parseDuration(value) ?? fail(flag, text) };
      break;
  }
  return fail(flag, text);
}

/** As a person would say it: `port 3000`, `log /ready/`. */
export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case "exit":
      return "its end";
    case "port":
      return condition.port === undefined ? "a port" : `port ${condition.port}`;
    case "log":
      return `${logText(condition)} in its log`;
    case "http":
      return condition.url;
    case "idle":
      return `${condition.idle_ms / 1000}s without output`;
  }
}

function split(text: string): { kind: string; value: string | undefined } {
  const at = text.indexOf("=");
  return at === -1 ? { kind: text, value: undefined } : { kind: text.slice(0, at), value: text.slice(at + 1) };
}

function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw usageError(`${flag} port=${text}: a port is 1–65535.`);
  return port;
}

/** Not RegExp.escape, which writes a first letter as \x53: the pattern is shown to people. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A text as it was typed, in quotes; an expression between its slashes. */
export function logText({ pattern, flags = "" }: Extract<Condition, { kind: "log" }>): string {
  const text = pattern.replace(/\\([\\^$.*+?()[\]{}|/])/g, "$1");
  return flags === "" && escaped(text) === pattern ? JSON.stringify(text) : `/${pattern}/${flags}`;
}

/** `/re/flags` is an expression; anything else is looked for as it stands. */
function logCondition(flag: string, value: string): Condition {
  const expression = /^\/(.+)\/([a-z]*)$/.exec(value);
  if (!expression) return { kind: "log", pattern: escaped(value) };
  const [, pattern = "", flags = ""] = expression;
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    throw usageError(`${flag} log=${value}: ${error instanceof Error ? error.message : error}.`);
  }
  return flags ? { kind: "log", pattern, flags } : { kind: "log", pattern };
}

function urlOf(flag: string, text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw usageError(`${flag} http=${text}: not a http:// or https:// address.`);
}

function fail(flag: string, text: string): never {
  throw usageError(`${flag} ${shown(text)} is no condition. One of: ${CONDITION_HELP}.`);
}
