import { accessSync, constants, existsSync, lstatSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { findKeeper } from "../../local/ensure-server.ts";
import { type KeeperEntry, readKeeperEntry } from "../../local/keeper-client.ts";
import { isAlive, readProcess } from "../../platform/process.ts";
import { formatBytes } from "../../protocol/durations.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Finding } from "../../protocol/messages.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { isServing, readEntries } from "../../registry/entries.ts";
import type { Context } from "../context.ts";

/** What `doctor` can tell without a server. Each check answers what it found and never throws. */
export async function clientFindings(context: Context): Promise<Finding[]> {
  return [
    runtime(),
    home(context),
    socketDirectory(context),
    programs(context),
    ...watchLimits(),
    await freeSpace(context),
    await keeper(context),
    ...servers(context),
  ];
}

const ok = (subject: string, text: string): Finding => ({ level: "ok", subject, text });
const warning = (subject: string, text: string, fix: string): Finding => ({ level: "warning", subject, text, fix });
const error = (subject: string, text: string, fix: string): Finding => ({ level: "error", subject, text, fix });

function runtime(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNewEnough = major > 26 || (major === 26 && minor >= 10);
  const text = `Node ${process.version} (${process.execPath})`;
  return isNewEnough
    ? ok("runtime", text)
    : error("runtime", `${text} is older than 26.10`, "npm install --include=optional");
}

function home({ places }: Context): Finding {
  try {
    accessSync(nearestExisting(places.home), constants.W_OK | constants.X_OK);
    return ok("home", `${places.home}${existsSync(places.home) ? "" : " (made with the first job)"}`);
  } catch {
    return error("home", `${places.home} cannot be written`, "export WARREN_HOME=/var/tmp/warren");
  }
}

function socketDirectory({ places }: Context): Finding {
  const stat = lstatSync(places.socketDir, { throwIfNoEntry: false });
  if (!stat) return ok("sockets", `${places.socketDir} (made with the first job)`);
  const fix = "export XDG_RUNTIME_DIR=$(mktemp -d)";
  if (!stat.isDirectory()) return error("sockets", `${places.socketDir} is not a directory`, fix);
  if (stat.uid !== (process.getuid?.() ?? stat.uid))
    return error("sockets", `${places.socketDir} belongs to user ${stat.uid}`, fix);
  const mode = stat.mode & 0o777;
  if ((mode & 0o077) === 0) return ok("sockets", places.socketDir);
  return error(
    "sockets",
    `${places.socketDir} can be read by others (mode ${mode.toString(8)})`,
    `chmod 700 ${quoteWord(places.socketDir)}`,
  );
}

/** What runs are started and logs are capped with (util-linux). */
function programs({ env }: Context): Finding {
  const dirs = (env.PATH ?? "").split(delimiter);
  const missing = ["setsid", "fallocate"].filter((name) => !dirs.some((dir) => existsSync(join(dir, name))));
  if (missing.length === 0) return ok("programs", "setsid and fallocate are there");
  return warning("programs", `${missing.join(" and ")} cannot be found in PATH`, "apt-get install util-linux");
}

/** Each server and each follower of logs needs a few (inotify(7)). */
const WATCHES_MIN = { max_user_instances: 64, max_user_watches: 8_192 };

function watchLimits(): Finding[] {
  return Object.entries(WATCHES_MIN).map(([name, least]) => {
    const value = Number(readOr(`/proc/sys/fs/inotify/${name}`, String(least)));
    const text = `fs.inotify.${name} is ${value}`;
    return value >= least
      ? ok("watches", text)
      : warning("watches", `${text}; logs may be noticed late`, `sudo sysctl fs.inotify.${name}=${least * 2}`);
  });
}

const FREE_WARNING_BYTES = 1024 ** 3;
const FREE_ERROR_BYTES = 64 * 1024 ** 2;

async function freeSpace({ places }: Context): Promise<Finding> {
  const where = nearestExisting(places.home);
  const { bavail, bsize } = await statfs(where);
  const freeBytes = bavail * bsize;
  const text = `${formatBytes(freeBytes)} free on ${where}`;
  if (freeBytes < FREE_ERROR_BYTES) return error("disk", text, "warren cleanup --all");
  return freeBytes < FREE_WARNING_BYTES ? warning("disk", text, "warren cleanup --all") : ok("disk", text);
}

/** One that takes longer has a problem. */
const KEEPER_ANSWER_MS = 3_000;

async function keeper({ places }: Context): Promise<Finding> {
  try {
    const connection = await findKeeper(places);
    if (!connection) return ok("keeper", "not running; the first job starts it");
    const { pid } = await connection.greet(KEEPER_ANSWER_MS).finally(() => connection.close());
    return ok("keeper", `pid ${pid}`);
  } catch (cause) {
    const entry = isWarrenError(cause, "KEEPER_SILENT") ? readKeeperEntry(places.keeperFile) : undefined;
    if (entry && isAlive({ bootId: entry.boot_id, pid: entry.pid, startTicks: entry.start_ticks }))
      return silentKeeper(entry);
    return error(
      "keeper",
      `it does not answer: ${cause instanceof Error ? cause.message : cause}`,
      `tail ${quoteWord(places.keeperLog)}`,
    );
  }
}

function silentKeeper({ pid }: KeeperEntry): Finding {
  const isStopped = /[Tt]/.test(readProcess(pid)?.state ?? "");
  if (isStopped) return error("keeper", `pid ${pid} is stopped, so no server can be started`, `kill -CONT ${pid}`);
  return error(
    "keeper",
    `pid ${pid} has not answered for ${KEEPER_ANSWER_MS / 1000} s, so no server can be started`,
    `kill -9 ${pid}      # jobs go on; sessions end, and can be resumed`,
  );
}

function servers({ places, build }: Context): Finding[] {
  const entries = readEntries(places.serversDir);
  if (entries.length === 0) return [ok("server", "not running; the first job starts it")];
  return entries.map((entry) => {
    const text = `${entry.name} v${entry.version} ${entry.git_hash}, pid ${entry.pid}`;
    if (!isServing(entry)) return warning("server", `${text} has ended and left its entry`, "warren ping");
    if (entry.git_hash === build.hash) return ok("server", text);
    return warning("server", `${text} is not this build (${build.hash})`, `warren reload ${entry.name}`);
  });
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
