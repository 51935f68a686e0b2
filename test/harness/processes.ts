import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  environHas,
  hasEnded,
  identityOf,
  isAlive,
  listProcesses,
  type ProcessIdentity,
  readProcess,
} from "../../src/platform/process.ts";
import { waitUntil } from "./wait-until.ts";

/** Who lives in a home: everything that was started for it has WARREN_HOME in its environment, jobs included. */
export type Role = "server" | "keeper" | "shim" | "other";

export interface HomeProcess {
  pid: number;
  identity: ProcessIdentity;
  role: Role;
  argv: string[];
}

export function processesOf(home: string): HomeProcess[] {
  return listProcesses()
    .filter((info) => !hasEnded(info) && info.pid !== process.pid && environHas(info.pid, `WARREN_HOME=${home}`))
    .map((info) => {
      const argv = argvOf(info.pid);
      return { pid: info.pid, identity: identityOf(info), role: roleOf(argv, home), argv };
    });
}

export const withRole = (home: string, role: Role): HomeProcess[] =>
  processesOf(home).filter((one) => one.role === role);

/** Resolves when the process is gone (a zombie is). */
export const ended = ({ identity, argv }: HomeProcess, deadlineMs = 20_000): Promise<true> =>
  waitUntil(() => !isAlive(identity), { what: `the end of pid ${identity.pid} (${argv.join(" ")})`, deadlineMs });

/** Sends SIGKILL, if it is still the same process. */
export function killProcess({ identity }: Pick<HomeProcess, "identity">): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch {
    // gone between the look and the signal
  }
}

export const startedBy = (pid: number): ProcessIdentity => {
  const info = readProcess(pid);
  if (!info) throw new Error(`no process ${pid}`);
  return identityOf(info);
};

/** What each open descriptor of a process points at. */
export const descriptorsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "closed meanwhile";
    }
  });

export function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

function roleOf(argv: string[], home: string): Role {
  if (argv[1]?.endsWith("/server.js")) return "server";
  if (argv[1]?.endsWith("/keeper.js")) return "keeper";
  if (argv.some((part) => part.startsWith(`${home}/status/`) && part.endsWith(".status"))) return "shim";
  return "other";
}
