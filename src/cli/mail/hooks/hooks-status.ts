import { isRunning } from "../../../hooks/agent-process.ts";
import { knownSessions } from "../../../hooks/agent-record.ts";
import { messageOf } from "../../../protocol/errors.ts";
import type { Context } from "../../context.ts";
import { wantedHooks } from "./change-settings.ts";
import { ourHooks } from "./claude-settings.ts";
import { hasLauncher, launcherPath } from "./launcher.ts";
import { SCOPES, type Scope, settingsPath } from "./scopes.ts";
import { readSettings } from "./settings-file.ts";

/** Where hooks are, whether they would run, and which agents they speak for now. */
export interface HooksStatus {
  settings: SettingsStatus[];
  program: { path: string; is_there: boolean };
  agents: { name: string; pid: number; state: "idle" | "busy" }[];
}

/** `installed_without_wake`: nothing wakes an idle agent. `outdated`: of another build or home, or some are missing. */
export interface SettingsStatus {
  scope: Scope;
  path: string;
  state: "none" | "installed" | "installed_without_wake" | "outdated" | "unreadable";
  problem?: string;
}

export async function hooksStatus(context: Context): Promise<HooksStatus> {
  const { places } = context;
  const settings = await Promise.all(SCOPES.map((scope) => settingsStatus(context, scope)));
  return {
    settings,
    program: { path: launcherPath(places), is_there: hasLauncher(places) },
    agents: agentsOf(context),
  };
}

async function settingsStatus(context: Context, scope: Scope): Promise<SettingsStatus> {
  const path = settingsPath(context, scope);
  try {
    const { text = "" } = await readSettings(path);
    const found = ourHooks(text, path).map(({ event, value }) => `${event} ${value.command}`);
    const isAllOf = (noWake: boolean): boolean => {
      const wanted = wantedHooks(context, { scope, noWake }).map(({ event, command }) => `${event} ${command}`);
      return wanted.length === found.length && wanted.every((one) => found.includes(one));
    };
    const state =
      found.length === 0
        ? "none"
        : isAllOf(false)
          ? "installed"
          : isAllOf(true)
            ? "installed_without_wake"
            : "outdated";
    return { scope, path, state };
  } catch (error) {
    return { scope, path, state: "unreadable", problem: messageOf(error) };
  }
}

function agentsOf({ places }: Context): HooksStatus["agents"] {
  return knownSessions(places).flatMap((session) => {
    const { name, agent } = session.record() ?? {};
    if (name === undefined || agent === undefined || !isRunning(agent)) return [];
    return [{ name, pid: agent.pid, state: session.isIdle ? ("idle" as const) : ("busy" as const) }];
  });
}
