import { rmdirSync, rmSync, writeSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { writeFileAtomic } from "../platform/atomic-file.ts";
import { closeInheritedDescriptors } from "../platform/descriptors.ts";
import { tryLock } from "../platform/lock.ts";
import { isLogLevel, openLog } from "../platform/log.ts";
import { ensureSocketDir, type Places, resolvePlaces } from "../platform/paths.ts";
import { bootId, readProcess } from "../platform/process.ts";
import { toWire } from "../protocol/errors.ts";
import { KEEPER_CONTRACT } from "../protocol/keeper-calls.ts";
import { Keeper } from "./keeper.ts";

/**
 * Starts the keeper: takes the home's keeper lock (the kernel frees it with the process), binds keeper.sock, writes keeper.json and says `ready` on
 * fd 3. Says `busy` when another keeper of this home holds the lock, or one line of JSON with the error. Its environment is the servers', too.
 */
const READY_FD = 3;

function main(env: NodeJS.ProcessEnv): void {
  process.umask(0o077);
  closeInheritedDescriptors([READY_FD]);
  const places = resolvePlaces(env);
  const lock = tryLock(join(places.locksDir, "keeper.lock"));
  if (!lock) {
    say("busy");
    process.exit(0);
  }
  ensureSocketDir(places, env); // under the lock: a keeper that ends removes it
  const socketPath = join(places.socketDir, "keeper.sock");
  const log = openLog(places.keeperLog, isLogLevel(env.WARREN_LOG) ? env.WARREN_LOG : "info");
  process.removeAllListeners("warning"); // the runtime's own writes text between our lines
  process.on("warning", ({ name, message }) => log.info("runtime_warning", { name, message }));
  const end = (): never => {
    removeTraces(places, socketPath);
    log.info("keeper_ended");
    lock.release(); // and, held by this closure, it is not collected, which would free it
    process.exit(0);
  };
  const keeper = new Keeper({ home: places.home, env, log, onEmpty: end });
  process.on("SIGTERM", () => (keeper.holdsSomething ? log.info("sigterm_ignored") : end()));
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => log.info("signal_ignored", { signal }));
  rmSync(socketPath, { force: true });
  const listener = net.createServer((socket) => keeper.accept(socket)).on("error", fail);
  listener.listen(socketPath, () => {
    listener.off("error", fail);
    process.on("uncaughtException", (error) => log.error("uncaught", { message: error.message, stack: error.stack }));
    const entry = {
      format: 1,
      oldest_reader: 1,
      contract: KEEPER_CONTRACT,
      socket: socketPath,
      pid: process.pid,
      start_ticks: readProcess(process.pid)?.startTicks ?? 0,
      boot_id: bootId(),
      started_at: new Date().toISOString(),
    };
    writeFileAtomic(places.keeperFile, `${JSON.stringify(entry)}\n`);
    log.info("keeper_ready", { pid: process.pid });
    say("ready");
  });
}

function removeTraces({ keeperFile, socketDir }: Places, socketPath: string): void {
  rmSync(keeperFile, { force: true });
  rmSync(socketPath, { force: true });
  try {
    rmdirSync(socketDir);
  } catch {
    // somebody else's sockets are in it
  }
}

function fail(error: unknown): never {
  say(JSON.stringify(toWire(error, "KEEPER_FAILED")));
  process.exit(1);
}

function say(line: string): void {
  try {
    writeSync(READY_FD, `${line}\n`);
  } catch {
    // Whoever started us has gone; others wait for the socket.
  }
}

try {
  main(process.env);
} catch (error) {
  fail(error);
}
