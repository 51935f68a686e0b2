import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { usageError } from "../../usage-error.ts";

/**
 * Which of an agent's settings: by default those of this project on this machine alone, since a hook names a program of this machine and speaks as its user; Claude Code
 * keeps that file out of git. `--project`: those that the project's other users get too; `--user`: of all projects.
 */
export const SCOPES = ["local", "project", "user"] as const;
export type Scope = (typeof SCOPES)[number];

/** @throws USAGE */
export function scopeOf({ project, user }: { project?: boolean; user?: boolean }): Scope {
  if (project && user) throw usageError("--project and --user exclude each other.");
  return project ? "project" : user ? "user" : "local";
}

export function settingsPath({ env, cwd }: Pick<Context, "env" | "cwd">, scope: Scope): string {
  if (scope === "user") return join(env.CLAUDE_CONFIG_DIR || join(env.HOME || "/", ".claude"), "settings.json");
  const file = scope === "local" ? "settings.local.json" : "settings.json";
  return join(projectDir(cwd, env.HOME), ".claude", file);
}

/** The nearest directory upwards that has .claude or .git, else this one. The user's own .claude is no project's. */
function projectDir(cwd: string, home: string | undefined): string {
  for (let dir = cwd; dir !== dirname(dir) && dir !== home; dir = dirname(dir))
    if (existsSync(join(dir, ".claude")) || existsSync(join(dir, ".git"))) return dir;
  return cwd;
}
