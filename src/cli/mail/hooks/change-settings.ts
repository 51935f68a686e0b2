import { createInterface } from "node:readline/promises";
import { WarrenError } from "../../../protocol/errors.ts";
import type { Context } from "../../context.ts";
import { shortPath } from "../../render/ages.ts";
import { ourHooks, type WantedHook, withHooks, withoutHooks } from "./claude-settings.ts";
import { hookCommand, writeLauncher } from "./launcher.ts";
import { unifiedDiff } from "./line-diff.ts";
import { type Scope, settingsPath } from "./scopes.ts";
import {
  beforeInstall,
  forgetBefore,
  isMadeByUs,
  keepBefore,
  readSettings,
  type SettingsText,
  writeSettings,
} from "./settings-file.ts";

/** Puts our hooks into Claude Code's settings, and takes them out: shown first, and done when that is agreed to. */
export interface ChangeOptions {
  scope: Scope;
  /** Agreed to already. */
  yes?: boolean | undefined;
  json?: boolean | undefined;
  /** Without the hook that wakes an idle agent. */
  noWake?: boolean | undefined;
}

export interface Changed {
  path: string;
  changed: boolean;
  diff: string[];
}

/** Seconds: an answer takes milliseconds; one that starts the mailbox takes longer. */
const QUICK_S = 5;
const START_S = 30;
/** A wait in the background lasts until mail comes, at most a week. */
const WAKE_S = 7 * 24 * 3_600;

export async function installHooks(context: Context, options: ChangeOptions): Promise<Changed> {
  const { places, build } = context;
  const settings = await readSettings(settingsPath(context, options.scope));
  const after = withHooks(settings.text ?? "", wantedHooks(context, options), settings.path);
  const changed = await shown(context, settings, after, { ...options, verb: "install" });
  writeLauncher(places, build);
  if (!changed.changed) return changed;
  await writeSettings(settings, after);
  await keepBefore(places, settings, after);
  return changed;
}

export async function removeHooks(context: Context, options: ChangeOptions): Promise<Changed> {
  const { places } = context;
  const settings = await readSettings(settingsPath(context, options.scope));
  const { text = "", path } = settings;
  if (ourHooks(text, path).length === 0) return { path, changed: false, diff: [] };
  const before = await beforeInstall(places, settings);
  const without = before === undefined ? withoutHooks(text, path) : before;
  const isEmpty = without === null || (/^\s*\{\s*\}\s*$/.test(without) && (await isMadeByUs(places, path)));
  const after = isEmpty ? undefined : without;
  const changed = await shown(context, settings, after ?? "", { ...options, verb: "remove" });
  await writeSettings(settings, after);
  await forgetBefore(places, path);
  return changed;
}

/** One for each event; the two that wait run in the background, from when the agent is idle. */
export function wantedHooks({ places }: Pick<Context, "places">, { scope, noWake }: ChangeOptions): WantedHook[] {
  const isShared = scope === "project";
  const quick = hookCommand(places, "claude", { isShared });
  const wake = {
    command: hookCommand(places, "claude wake", { isShared }),
    timeout: WAKE_S,
    asyncRewake: true,
  } as const;
  const waits = (event: string): WantedHook[] => (noWake ? [] : [{ event, ...wake }]);
  return [
    { event: "SessionStart", command: quick, timeout: START_S },
    ...waits("SessionStart"),
    { event: "UserPromptSubmit", command: quick, timeout: START_S },
    { event: "PostToolUse", command: quick, timeout: QUICK_S },
    { event: "Stop", command: quick, timeout: QUICK_S },
    ...waits("Stop"),
  ];
}

async function shown(
  { output, env }: Context,
  { path, text = "" }: SettingsText,
  after: string,
  { yes, json, verb, scope }: ChangeOptions & { verb: "install" | "remove" },
): Promise<Changed> {
  const diff = unifiedDiff(text, after, path);
  if (diff.length === 0) return { path, changed: false, diff };
  if (!json) for (const line of diff) output.line(painted(output.style, line));
  if (!yes) {
    const flag = scope === "local" ? "" : ` --${scope}`;
    const fix = `warren mail hooks ${verb} claude${flag} --yes`;
    const where = shortPath(path, env.HOME);
    if (json || !output.isTerminal || !process.stdin.isTTY)
      throw new WarrenError("CONFIRMATION_NEEDED", `Nothing was changed: ${where} is changed only when you agree.`, {
        fix,
      });
    if (!(await agrees()))
      throw new WarrenError("CONFIRMATION_NEEDED", `Nothing was changed: you did not agree.`, { fix });
    if (((await readSettings(path)).text ?? "") !== text)
      throw new WarrenError("SETTINGS_NOT_WRITTEN", `${where} was not changed: it is not what was shown any more.`, {
        fix: `warren mail hooks ${verb} claude${flag}      # shows it as it is now`,
      });
  }
  return { path, changed: true, diff };
}

async function agrees(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question("Apply? [y/N] ")).trim());
  } catch {
    return false; // Ctrl-C, Ctrl-D
  } finally {
    terminal.close();
  }
}

function painted(style: Context["output"]["style"], line: string): string {
  if (line.startsWith("+") && !line.startsWith("+++")) return style.tone("good", line);
  if (line.startsWith("-") && !line.startsWith("---")) return style.tone("bad", line);
  return style.dim(line);
}
