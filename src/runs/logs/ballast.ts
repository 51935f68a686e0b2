import { rm, stat, writeFile } from "node:fs/promises";

/**
 * A few blocks that are held while the disk has room and given back when it has none. On a disk that is full to the last byte nothing could be freed
 * otherwise: what is to be dropped from a log is written down before it goes, and the end of a run is committed before its logs may be deleted.
 */
const BALLAST_BYTES = 128 * 1024;

/** Makes the file unless it is there; where there is no room for it now, the next call tries again. */
export async function holdBallast(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size === BALLAST_BYTES) return;
  // Not zeros: some file systems keep no blocks for those.
  await writeFile(path, Buffer.alloc(BALLAST_BYTES, "ballast "), { mode: 0o600 }).catch(() => releaseBallast(path));
}

/** Gives the blocks back. Never rejects. */
export async function releaseBallast(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}
