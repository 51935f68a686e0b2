import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a project's file may be called. */
export const PROJECT_FILES = ["warren.yaml", "warren.yml"] as const;

/**
 * The project of a directory: the nearest one upwards that holds a warren.yaml, else undefined. Only looked for, not read: the commands about jobs do not
 * load YAML.
 */
export function projectOf(directory: string): string | undefined {
  for (let dir = directory; ; dir = dirname(dir)) {
    if (projectFileIn(dir) !== undefined) return dir;
    if (dir === dirname(dir)) return undefined;
  }
}

/** The file that makes this very directory a project. */
export const projectFileIn = (dir: string): string | undefined =>
  PROJECT_FILES.map((name) => join(dir, name)).find((path) => existsSync(path));
