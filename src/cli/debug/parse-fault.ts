import {
  DEBUG_TOPICS,
  type DebugRequest,
  FAULT_NAMES,
  type Fault,
  type FaultName,
  KILL_POINTS,
} from "../../protocol/debug.ts";
import { unknownChoice, usageError } from "../usage-error.ts";
import { countOf, durationOf } from "../values.ts";

/** What is typed behind `fault`: nothing or `list`, `set NAME [KEY=VALUE…]`, `clear [NAME]`. @throws USAGE */
export function parseFault(words: readonly string[]): Extract<DebugRequest, { type: "fault" }> {
  const [action = "list", name, ...settings] = words;
  if (action === "list" && name === undefined) return { type: "fault", action };
  if (action === "clear" && settings.length === 0)
    return { type: "fault", action, ...(name === undefined ? {} : { name: faultName(name) }) };
  if (action !== "set") throw unknownChoice("fault", action, ["list", "set", "clear"]);
  if (name === undefined) throw usageError(`fault set needs one of ${FAULT_NAMES.join(", ")}.`, "warren help debug");
  return { type: "fault", action, fault: faultOf(faultName(name), new Map(settings.map(pairOf))) };
}

function faultOf(name: FaultName, settings: Map<string, string>): Fault {
  const known = SETTINGS[name];
  for (const key of settings.keys()) if (!known.includes(key)) throw unknownSetting(name, key, known);
  const type = settings.get("type");
  const when = settings.get("when");
  const point = settings.get("point");
  switch (name) {
    case "delay-reply":
      return { name, ms: durationOf("delay", settings.get("delay")) ?? DELAY_MS, type };
    case "drop-connection":
      if (when !== undefined && when !== "before" && when !== "after")
        throw unknownChoice("when", when, ["before", "after"]);
      return { name, type, when, count: countOf("count", settings.get("count")) };
    case "crash-at": {
      const found = KILL_POINTS.find((candidate) => candidate === point);
      if (found === undefined) throw unknownChoice("point", point ?? "nothing", KILL_POINTS);
      return { name, point: found, type };
    }
    case "pause-reads":
      return { name };
  }
}

const DELAY_MS = 1_000;
const SETTINGS: Record<FaultName, readonly string[]> = {
  "delay-reply": ["delay", "type"],
  "drop-connection": ["type", "when", "count"],
  "pause-reads": [],
  "crash-at": ["point", "type"],
};

function faultName(text: string): FaultName {
  const found = FAULT_NAMES.find((name) => name === text);
  if (found === undefined) throw unknownChoice("a fault", text, FAULT_NAMES);
  return found;
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw usageError(`A fault's setting is KEY=VALUE, not ${text}.`, "warren help debug");
  return [text.slice(0, at), text.slice(at + 1)];
}

const unknownSetting = (name: FaultName, key: string, known: readonly string[]) =>
  usageError(
    `${name} ${known.length > 0 ? `knows ${known.join(", ")}` : "has no settings"}, not ${key}.`,
    "warren help debug",
  );

/** Of the operands: the server's name, when the first is none of the topics. */
export function splitOperands(operands: readonly string[]): {
  server: string | undefined;
  topic: DebugRequest["type"];
  rest: string[];
} {
  const isTopic = (word: string | undefined): word is DebugRequest["type"] =>
    (DEBUG_TOPICS as readonly (string | undefined)[]).includes(word);
  const [first, second, ...rest] = operands;
  if (first === undefined) return { server: undefined, topic: "state", rest: [] };
  if (isTopic(first)) return { server: undefined, topic: first, rest: operands.slice(1) };
  if (second === undefined) return { server: first, topic: "state", rest: [] };
  if (!isTopic(second)) throw unknownChoice("What can be asked", second, DEBUG_TOPICS);
  return { server: first, topic: second, rest };
}
