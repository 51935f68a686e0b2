import { lstatSync, statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import { makeDirectories } from "./directories.ts";

/**
 * Where everything lives (CONTRACT §8). The home holds what must outlast a reboot; sockets stand in the user's runtime directory. Clients take
 * socket paths from the home's registry, so two shells with different runtime directories still share one home's servers.
 */
export interface Places {
  home: string;
  stateDb: string;
  locksDir: string;
  logsDir: string;
  serverLogsDir: string;
  statusDir: string;
  serversDir: string;
  buildsDir: string;
  cursorsDir: string;
  /** One directory for each session: its record, its journal, its last screen. */
  sessionsDir: string;
  /** One directory for each project whose gateway is up. */
  gatewayDir: string;
  /** The keeper's own announcement: socket, pid, start time, boot id. */
  keeperFile: string;
  keeperLog: string;
  /** What the mailbox keeps: its log. */
  mailDir: string;
  /** Held by the mailbox's leader; never deleted. */
  mailLock: string;
  /** The leader's own announcement: its socket. */
  mailLeaderFile: string;
  mailLeaderLog: string;
  /** What a hub of this home keeps: its key, its store, and the announcement of the one that runs. */
  hubDir: string;
  /** Held by the hub that runs; never deleted. */
  hubLock: string;
  hubLog: string;
  /** What this machine keeps of its devices and hubs: its key, and their list. */
  remoteDir: string;
  /** Where this process would bind sockets; not checked. */
  readonly socketDir: string;
  /** Of the mailbox's leader. */
  readonly mailSocket: string;
  /** Of the hub, for its owner's commands. */
  readonly hubSocket: string;
}

/** sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL (unix(7)). */
const SOCKET_PATH_BYTES_MAX = process.platform === "darwin" ? 103 : 107;
/** The longest file name that we bind: the debug socket of a server whose name is as long as may be. */
const SOCKET_NAME_BYTES = 43;

export function resolvePlaces(env: NodeJS.ProcessEnv): Places {
  const home = resolve(env.WARREN_HOME || join(env.HOME || homedir(), ".warren"));
  return {
    home,
    stateDb: join(home, "state.db"),
    locksDir: join(home, "locks"),
    logsDir: join(home, "logs"),
    serverLogsDir: join(home, "logs", "servers"),
    statusDir: join(home, "status"),
    serversDir: join(home, "servers"),
    buildsDir: join(home, "builds"),
    cursorsDir: join(home, "cursors"),
    sessionsDir: join(home, "sessions"),
    gatewayDir: join(home, "gateway"),
    keeperFile: join(home, "keeper.json"),
    keeperLog: join(home, "logs", "keeper.log"),
    mailDir: join(home, "mail"),
    mailLock: join(home, "locks", "mail.lock"),
    mailLeaderFile: join(home, "mail", "leader.json"),
    mailLeaderLog: join(home, "logs", "servers", "mail.log"),
    hubDir: join(home, "hub"),
    hubLock: join(home, "locks", "hub.lock"),
    hubLog: join(home, "logs", "servers", "hub.log"),
    remoteDir: join(home, "remote"),
    // Looked up when it is needed: a command that finds a server does not, and the user database is slow to read.
    get socketDir() {
      return socketDirOf(home, env);
    },
    get mailSocket() {
      return join(socketDirOf(home, env), "mail.sock");
    },
    get hubSocket() {
      return join(socketDirOf(home, env), "hub.sock");
    },
  };
}

/** Eight hex digits that tell homes apart in a shared runtime directory: FNV-1a, since loading node:crypto costs every command 5 ms. */
export function homeDigest(home: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(home)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

function socketDirOf(home: string, env: NodeJS.ProcessEnv): string {
  const perUser = `/tmp/warren-${process.getuid?.() ?? 0}`;
  const base = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, "warren") : perUser;
  const isDefaultHome = home === join(userInfo().homedir, ".warren");
  const dir = isDefaultHome ? base : join(base, homeDigest(home));
  if (Buffer.byteLength(dir) + 1 + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES_MAX) return dir;
  return join(perUser, homeDigest(home));
}

/** Makes the home's directories; a home that cannot be written is a typed error. */
export function ensureHome(places: Places): void {
  for (const dir of [
    places.home,
    places.locksDir,
    places.serverLogsDir,
    places.statusDir,
    places.serversDir,
    places.buildsDir,
  ]) {
    try {
      makeDirectories(dir, 0o700);
    } catch (error) {
      throw new WarrenError("HOME_UNUSABLE", `The home ${places.home} cannot be used: ${messageOf(error)}.`, {
        fix: "export WARREN_HOME=/var/tmp/warren",
        cause: error,
      });
    }
  }
}

/**
 * Makes the directory of sockets and checks that it is ours alone: a directory, no symbolic link, our user, mode 0700.
 * @throws RUNTIME_DIR_MISSING when XDG_RUNTIME_DIR names nothing; RUNTIME_DIR_UNUSABLE for the rest.
 */
export function ensureSocketDir(places: Places, env: NodeJS.ProcessEnv): void {
  const runtimeDir = env.XDG_RUNTIME_DIR;
  if (runtimeDir && places.socketDir.startsWith(runtimeDir) && !statSync(runtimeDir, { throwIfNoEntry: false })) {
    throw new WarrenError("RUNTIME_DIR_MISSING", `XDG_RUNTIME_DIR is ${runtimeDir}, which does not exist.`, {
      fix: `unset XDG_RUNTIME_DIR      # sockets then go to ${tmpdir()}/warren-${process.getuid?.() ?? 0}`,
    });
  }
  const base = places.socketDir.replace(/\/[0-9a-f]{8}$/, "");
  for (const dir of new Set([base, places.socketDir])) ensurePrivateDir(dir);
}

function ensurePrivateDir(dir: string): void {
  const fix = "export XDG_RUNTIME_DIR=$(mktemp -d)";
  try {
    makeDirectories(dir, 0o700);
  } catch (error) {
    const why =
      systemCode(error) === "EACCES" || systemCode(error) === "EROFS" ? "it cannot be written" : messageOf(error);
    throw new WarrenError("RUNTIME_DIR_UNUSABLE", `The directory for sockets ${dir} cannot be made: ${why}.`, {
      fix,
      cause: error,
    });
  }
  const stat = lstatSync(dir);
  const uid = process.getuid?.() ?? stat.uid;
  const problem = !stat.isDirectory()
    ? "is not a directory"
    : stat.uid !== uid
      ? `belongs to user ${stat.uid}`
      : (stat.mode & 0o077) !== 0
        ? `can be read by others (mode ${(stat.mode & 0o777).toString(8)})`
        : undefined;
  if (problem) throw new WarrenError("RUNTIME_DIR_UNUSABLE", `The directory for sockets ${dir} ${problem}.`, { fix });
}
