import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";

/**
 * Small files of a hook's: a reader sees the old text or the new one, also when the writer is killed. Not synced, since a power cut ends the agents that they speak of;
 * and without node:crypto, which costs a hook 5 ms.
 */
export function writeSmall(path: string, value: object): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const fd = openSync(temporary, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(value)}\n`);
  } finally {
    closeSync(fd);
  }
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Undefined when it is not there, or is no JSON object. */
export function readSmall<T extends object>(path: string): T | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
