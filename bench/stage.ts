import { readdirSync, readFileSync, rmSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/**
 * Where a benchmark runs: a temporary directory with a private copy of the built product (others may rebuild dist/ meanwhile), and an environment in
 * which every process that is started, however detached, carries MARK. By that mark all of them are found and ended when the stage is struck.
 */
export interface Stage {
  dir: string;
  /** The private copy: bin/, dist/, package.json and a link to node_modules. */
  checkout: string;
  /** The pinned runtime. */
  node: string;
  /** The environment of everything that is started: small, fixed, marked. */
  env: NodeJS.ProcessEnv;
  /** Ends by pid what is left of what was started here, and takes the directory away. Synchronous, so that it can be the last thing a process does. */
  strike(): void;
}

/** Kept by the environments that keepers and daemons pass on; its value is this benchmark's own directory. */
const MARK = "WARREN_BENCH_STAGE";
const COPY_TRIES_MAX = 50;
const COPY_PAUSE_MS = 200;
/** A killed parent's children may have been started after the first look at /proc. */
const SWEEPS_MAX = 20;

export const root = resolve(import.meta.dirname, "..");

export async function setStage(): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "warren-bench-"));
  const strike = (): void => {
    endMarked(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const checkout = join(dir, "warren");
    await copyCheckout(checkout);
    for (const name of ["home", "run", "project"]) await mkdir(join(dir, name), { mode: 0o700 });
    const env = {
      HOME: join(dir, "home"),
      LANG: "C.UTF-8",
      PATH: process.env.PATH,
      SHELL: "/bin/sh",
      TERM: "dumb",
      USER: process.env.USER ?? "root",
      XDG_RUNTIME_DIR: join(dir, "run"),
      [MARK]: dir,
    };
    return { dir, checkout, node: process.execPath, env, strike };
  } catch (error) {
    strike();
    throw error;
  }
}

/** A copy of the pinned runtime: PSS shares out the pages of a program among all processes that run it, those of others on the machine too. */
export async function ownRuntime(stage: Stage, name: string): Promise<string> {
  const path = join(stage.dir, `node-${name}`);
  await copyFile(stage.node, path);
  return path;
}

/** Copies the built product; when it is rebuilt under our hands, anew. */
async function copyCheckout(target: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const before = await readFile(join(root, "dist", "build.json"), "utf8");
      await cp(join(root, "dist"), join(target, "dist"), { recursive: true });
      if ((await readFile(join(root, "dist", "build.json"), "utf8")) === before) break;
    } catch (error) {
      if (tries === COPY_TRIES_MAX) throw error;
    }
    rmSync(join(target, "dist"), { recursive: true, force: true });
    await new Promise((wake) => setTimeout(wake, COPY_PAUSE_MS));
  }
  await cp(join(root, "bin"), join(target, "bin"), { recursive: true });
  await cp(join(root, "package.json"), join(target, "package.json"));
  await symlink(join(root, "node_modules"), join(target, "node_modules"));
}

function endMarked(dir: string): void {
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    const pids = markedPids(dir);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // ended between the two looks
      }
    }
  }
}

/** Processes whose environment carries the mark, ours excepted. Zombies have no environment left. */
export function markedPids(dir: string): number[] {
  const mark = `${MARK}=${dir}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
