import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import "../screens-thread.ts";
import type { ScreenRequest } from "../screen-messages.ts";

/** The screens' thread, which dies of a look at a session with a file `bomb` (once) or `mine` (each time) beside its journal. */
const dirs = new Map<string, string>();
parentPort?.on("message", (request: ScreenRequest) => {
  if (request.kind === "open") dirs.set(request.id, join(request.journalDir, ".."));
  if (request.kind !== "text") return;
  const dir = dirs.get(request.id) ?? "";
  const isMined = existsSync(join(dir, "mine"));
  if (!isMined && !existsSync(join(dir, "bomb"))) return;
  rmSync(join(dir, "bomb"), { force: true });
  process.exit(1);
});
