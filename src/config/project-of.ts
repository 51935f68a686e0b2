import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The project of a directory: the nearest one upwards that holds a warren.yaml, else undefined. Only looked for, not read: the commands about jobs do not
 * load YAML.
 */
export function projectOf(directory: string): string | undefined {
  for (let dir = directory; ; dir = dirname(dir)) {
    if (existsSync(join(dir, "warren.yaml")) || existsSync(join(dir, "warren.yml"))) return dir;
    if (dir === dirname(dir)) return undefined;
  }
}
