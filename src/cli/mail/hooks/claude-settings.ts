import { WarrenError } from "../../../protocol/errors.ts";
import { quoteWord } from "../../../protocol/quote-word.ts";
import { nodeAt, partsOf, withoutPart, withPart } from "./json-edit.ts";
import { type JsonNode, NotJson, parseJsonText, valueAt } from "./json-text.ts";

/**
 * Our hooks in the settings of Claude Code: `hooks.<event>[].hooks[].command`, each in a group of its own behind the others. They are known by the name of what
 * they run, wherever it is.
 */
export interface WantedHook {
  event: string;
  command: string;
  /** Seconds after which the agent gives it up. */
  timeout: number;
  /** It runs in the background, and its exit status 2 wakes the agent. */
  asyncRewake?: true;
}

/** In a command: it is one of ours. */
export const HOOK_PROGRAM = "warren-mail-hook";

export const isOurs = (command: unknown): boolean =>
  typeof command === "string" && new RegExp(`${HOOK_PROGRAM}(?![\\w-])`).test(command);

/** One of ours as it stands in the settings. */
export interface FoundHook {
  event: string;
  group: number;
  hook: number;
  /** The group has nothing else. */
  isAlone: boolean;
  value: Record<string, unknown>;
}

/** @throws SETTINGS_NOT_JSON, SETTINGS_UNEXPECTED */
export function ourHooks(text: string, path: string): FoundHook[] {
  const hooks = hooksNode(text, path);
  if (hooks?.kind !== "object") return [];
  return hooks.members.flatMap(({ key: event, value: groups }) => {
    if (groups.kind !== "array") throw unexpected(path, `hooks.${event} is no list`);
    return groups.items.flatMap((group, at) => inGroup(text, group, { event, group: at }));
  });
}

/** The text with exactly these hooks of ours; the same text when it has them already. @throws SETTINGS_NOT_JSON, SETTINGS_UNEXPECTED */
export function withHooks(text: string, wanted: readonly WantedHook[], path: string): string {
  const found = ourHooks(text, path);
  const is = found.map(({ event, value }) => JSON.stringify([event, value])).sort();
  const should = wanted.map((hook) => JSON.stringify([hook.event, settingOf(hook)])).sort();
  if (JSON.stringify(is) === JSON.stringify(should)) return text;
  let now = withoutHooks(text.trim() === "" ? "{}\n" : text, path);
  if (!nodeAt(parseJsonText(now), ["hooks"])) now = withPart(now, [], { key: "hooks", value: {} });
  for (const hook of wanted) {
    const group = { hooks: [settingOf(hook)] };
    const hasEvent = nodeAt(parseJsonText(now), ["hooks", hook.event]) !== undefined;
    now = hasEvent
      ? withPart(now, ["hooks", hook.event], { value: group })
      : withPart(now, ["hooks"], { key: hook.event, value: [group] });
  }
  return now;
}

/** The text without any of ours, and without the lists that had nothing else. @throws SETTINGS_NOT_JSON, SETTINGS_UNEXPECTED */
export function withoutHooks(text: string, path: string): string {
  let now = text;
  for (let found = ourHooks(now, path).at(-1); found; found = ourHooks(now, path).at(-1)) {
    const { event, group, hook, isAlone } = found;
    if (!isAlone) {
      now = withoutHook(now, { event, group, hook });
      continue;
    }
    now = withoutPart(now, ["hooks", event], group);
    now = withoutIfEmpty(now, ["hooks"], event);
    now = withoutIfEmpty(now, [], "hooks");
  }
  return now;
}

const settingOf = ({ command, timeout, asyncRewake }: WantedHook): Record<string, unknown> => ({
  type: "command",
  command,
  timeout,
  ...(asyncRewake ? { asyncRewake } : {}),
});

function inGroup(text: string, group: JsonNode, at: { event: string; group: number }): FoundHook[] {
  const hooks = nodeAt(group, ["hooks"]);
  if (hooks?.kind !== "array") return [];
  return hooks.items.flatMap((item, hook) => {
    if (item.kind !== "object") return [];
    const value = valueAt(text, item) as Record<string, unknown>;
    return isOurs(value.command) ? [{ ...at, hook, isAlone: hooks.items.length === 1, value }] : [];
  });
}

/** From a group that somebody has put it into, beside hooks of others. */
function withoutHook(text: string, { event, group, hook }: { event: string; group: number; hook: number }): string {
  const groups = nodeAt(parseJsonText(text), ["hooks", event]);
  const node = groups?.kind === "array" ? groups.items[group]! : undefined;
  const { start, end } = node!;
  return `${text.slice(0, start)}${withoutPart(text.slice(start, end), ["hooks"], hook)}${text.slice(end)}`;
}

function withoutIfEmpty(text: string, path: readonly string[], key: string): string {
  const parent = nodeAt(parseJsonText(text), path);
  const at = parent?.kind === "object" ? parent.members.findLastIndex((member) => member.key === key) : -1;
  if (parent?.kind !== "object" || at === -1) return text;
  return partsOf(parent.members[at]!.value).length === 0 ? withoutPart(text, path, at) : text;
}

/** Undefined where there are none. */
function hooksNode(text: string, path: string): JsonNode | undefined {
  if (text.trim() === "") return undefined;
  const root = parsed(text, path);
  if (root.kind !== "object") throw unexpected(path, "it is no object");
  const hooks = nodeAt(root, ["hooks"]);
  if (hooks && hooks.kind !== "object") throw unexpected(path, '"hooks" is no object');
  return hooks;
}

function parsed(text: string, path: string): JsonNode {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const { line, column, message } = error;
    throw new WarrenError(
      "SETTINGS_NOT_JSON",
      `${path} is not JSON: line ${line}, column ${column}: ${message}. It was left as it is.`,
      { fix: `\${EDITOR:-vi} +${line} ${quoteWord(path)}`, cause: error, detail: { path, line, column } },
    );
  }
}

const unexpected = (path: string, what: string): WarrenError =>
  new WarrenError("SETTINGS_UNEXPECTED", `${path} is not as Claude Code wants it: ${what}. It was left as it is.`, {
    fix: `\${EDITOR:-vi} ${quoteWord(path)}`,
  });
