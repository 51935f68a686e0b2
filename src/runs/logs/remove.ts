import { rm, stat } from "node:fs/promises";
import { filesOfRun } from "./files.ts";

/** All files of these runs, their sidecars too. The answer: bytes of disk that they had. */
export async function removeLogs(logsDir: string, runIds: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const runId of runIds) {
    for (const path of filesOfRun(logsDir, runId)) {
      bytes += await stat(path).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      );
      await rm(path, { force: true });
    }
  }
  return bytes;
}
