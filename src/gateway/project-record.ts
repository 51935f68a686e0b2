import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import { makeDirectories } from "../platform/directories.ts";
import { systemCode } from "../protocol/errors.ts";
import type { GatewayMode } from "../protocol/front-messages.ts";
import type { ProjectConfig } from "../protocol/gateway-config.ts";
import type { WorkerState } from "./lifecycle/state.ts";

/**
 * What is kept of a project that is up, in `<home>/gateway/<key>/project.json`: enough for the next server to go on with it. Written before anything is done
 * about what it says. It is not synced: after a power failure there is no process left that it could be wrong about.
 */
export interface ProjectRecord {
  format: 1;
  dir: string;
  /** The person's, "KEY=value", of the `up` that began it. */
  env: string[];
  /** In place of the configured port: what was asked for by the environment. */
  askedPort?: number;
  /** Where it listens. */
  address?: { host: string; port: number };
  /** A person's word, in place of the configured one. */
  mode?: GatewayMode;
  /** As it was in force last: the files may say something by now that cannot be. */
  config?: ProjectConfig;
  /** Of the last table that the front was told. */
  revision: number;
  workers: Record<string, WorkerRecord>;
}

export interface WorkerRecord {
  state: WorkerState;
  /** By instance: what its process tree is found by. */
  tags: Record<string, number>;
}

const FILE = "project.json";

export class ProjectFile {
  /** The project's own place in the home: state, status files, logs, the front's table. */
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    makeDirectories(dir, 0o700);
  }

  read(): ProjectRecord | undefined {
    const record = readJsonIfExists<ProjectRecord>(join(this.dir, FILE));
    return record?.format === 1 ? record : undefined;
  }

  /** @throws what the disk says */
  write(record: ProjectRecord): void {
    const path = join(this.dir, FILE);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** The project is down: its logs stay. */
  forget(): void {
    rmSync(join(this.dir, FILE), { force: true });
  }
}

/** The projects that are up, by their place in the home. */
export function recordedProjects(gatewayDir: string): string[] {
  try {
    return readdirSync(gatewayDir, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [join(gatewayDir, entry.name)] : [],
    );
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
