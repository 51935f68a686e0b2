import { homedir } from "node:os";

/**
 * What a client that is not on this machine cannot know of it: it may leave it out. An empty environment is the server's own, `~` its user's home, and a session
 * without a program their shell.
 */
export interface OwnEnvironment {
  readonly env: string[];
  readonly home: string;
  readonly shell: string;
}

export const ownEnvironment = (env: Readonly<NodeJS.ProcessEnv>): OwnEnvironment => ({
  env: Object.entries(env).map(([key, value = ""]) => `${key}=${value}`),
  home: env.HOME || homedir(),
  shell: env.SHELL || "/bin/sh",
});

interface Unfinished {
  workdir: string;
  env?: string[] | undefined;
}

/** @param own of a client that is elsewhere; undefined: it has said what it means */
export function completed<T extends Unfinished>(payload: T, own: OwnEnvironment | undefined): T {
  if (!own) return payload;
  const { workdir, env = [] } = payload;
  return { ...payload, workdir: fromHome(workdir, own.home), env: env.length > 0 ? env : own.env };
}

/** As `completed`, of a session. */
export function completedSession<T extends Unfinished & { command?: string[] | undefined; agent?: unknown }>(
  payload: T,
  own: OwnEnvironment | undefined,
): T {
  const whole = completed(payload, own);
  const isNamed = whole.agent !== undefined || whole.command?.length;
  return own && !isNamed ? { ...whole, command: [own.shell] } : whole;
}

const fromHome = (path: string, home: string): string =>
  path === "~" || path.startsWith("~/") ? `${home}${path.slice(1)}` : path;
