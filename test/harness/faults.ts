import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What can go wrong around us, made to. */

/** Why a test that mounts or changes user cannot run here; undefined when it can. */
export const needsRoot = (): string | undefined =>
  process.getuid?.() === 0 ? undefined : "needs root (mount, another user)";

/** A file system of its own, to be filled. Opened before the home that stands on it, so that it goes after it. */
export interface SmallDisk extends Disposable {
  path: string;
  /** Leaves `freeBytes` (default 0). */
  fill(freeBytes?: number): void;
  /** Takes away what `fill` wrote. */
  drain(): void;
}

export function smallDisk(sizeBytes: number): SmallDisk {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "warren-disk-")));
  run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes},mode=0700`, "tmpfs", path);
  const filler = join(path, "filler");
  return {
    path,
    fill(freeBytes = 0) {
      const { bavail, bsize } = statfsSync(path);
      const bytes = Math.max(0, bavail * bsize - freeBytes);
      try {
        writeFileSync(filler, Buffer.alloc(bytes));
      } catch {
        // full is what was asked for
      }
    },
    drain: () => rmSync(filler, { force: true }),
    [Symbol.dispose]() {
      run("umount", "-l", path);
      rmdirSync(path);
    },
  };
}

/** An empty directory in which nobody can write, root included. */
export function readOnlyDirectory(path: string): Disposable & { path: string } {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  run("mount", "-t", "tmpfs", "-o", "ro,mode=0700", "tmpfs", path);
  return { path, [Symbol.dispose]: () => run("umount", "-l", path) };
}

/** Stops a process until it is disposed. */
export function suspended(pid: number): Disposable {
  process.kill(pid, "SIGSTOP");
  return {
    [Symbol.dispose]() {
      try {
        process.kill(pid, "SIGCONT");
      } catch {
        // ended meanwhile
      }
    },
  };
}

function run(file: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${stderr}`);
}
