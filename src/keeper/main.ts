import { rmdirSync, rmSync, writeSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { writeFileAtomic } from "../platform/atomic-file.ts";
import { closeInheritedDescriptors } from "../platform/descriptors.ts";
import { tryLock } from "../platform/lock.ts";
import { isLogLevel, openLog } from "../platform/log.ts";
import { ensureHome, ensureSocketDir, resolvePlaces } from "../platform/paths.ts";
import { bootId, readProcess } from "../platform/process.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { KEEPER_CONTRACT } from "../protocol/keeper-calls.ts";
import { Keeper } from "./keeper.ts";

/**
 * Starts the keeper: takes the home's keeper lock (the kernel frees it with the process), binds keeper.sock, writes keeper.json and says `ready` on
 * fd 3. Says `busy` when another keeper of this home holds the lock, or one line of JSON with the error.
 */
const READY_FD = 3;

function main(): void {
  process.umask(0o077);
  closeInheritedDescriptors([READY_FD]);
  const env = process.env;
  const places = resolvePlaces(env);
  try {
    ensureHome(places);
    ensureSocketDir(places, env);
  } catch (error) {
    const known = isWarrenError(error);
    say(
      JSON.stringify({
        code: known ? error.code : "KEEPER_FAILED",
        error: messageOf(error),
        fix: known ? error.fix : undefined,
      }),
    );
    process.exit(1);
  }
  const lock = tryLock(join(places.locksDir, "keeper.lock"));
  if (!lock) {
    say("busy");
    process.exit(0);
  }
  const log = openLog(places.keeperLog, isLogLevel(env.WARREN_LOG) ? env.WARREN_LOG : "info");
  const socketPath = join(places.socketDir, "keeper.sock");
  const end = (): never => {
    rmSync(places.keeperFile, { force: true });
    rmSync(socketPath, { force: true });
    try {
      rmdirSync(places.socketDir);
    } catch {
      // somebody else's sockets are in it
    }
    log.info("keeper_ended");
    process.exit(0);
  };
  const keeper = new Keeper({ home: places.home, env: environmentForServers(env), log, onEmpty: end });
  process.on("SIGTERM", () => (keeper.holdsSomething ? log.info("sigterm_ignored") : end()));
  process.on("SIGINT", () => log.info("sigint_ignored"));
  process.on("SIGHUP", () => log.info("sighup_ignored"));
  process.on("uncaughtException", (error) => log.error("uncaught", { message: error.message, stack: error.stack }));
  const listener = net.createServer((socket) => keeper.accept(socket));
  rmSync(socketPath, { force: true });
  listener.listen(socketPath, () => {
    writeFileAtomic(
      places.keeperFile,
      `${JSON.stringify({
        format: 1,
        oldest_reader: 1,
        contract: KEEPER_CONTRACT,
        socket: socketPath,
        pid: process.pid,
        start_ticks: readProcess(process.pid)?.startTicks ?? 0,
        boot_id: bootId(),
        started_at: new Date().toISOString(),
      })}\n`,
    );
    log.info("keeper_ready", { pid: process.pid });
    say("ready");
  });
}

/** What servers get: where things are, nothing of the shell that happened to start the keeper. */
function environmentForServers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(env)) {
    if (/^(WARREN_|XDG_RUNTIME_DIR$|HOME$|PATH$|USER$|LANG$|LC_|TZ$|TMPDIR$)/.test(name)) kept[name] = value;
  }
  delete kept.WARREN_UNIT;
  delete kept.WARREN_RUN_ID;
  delete kept.WARREN_RUN_TAG;
  return kept;
}

function say(line: string): void {
  try {
    writeSync(READY_FD, `${line}\n`);
  } catch {
    // Whoever started us has gone; others wait for the socket.
  }
}

main();
