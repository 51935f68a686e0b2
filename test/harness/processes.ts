import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import {
  environHas,
  fileSizeLimitOf,
  hasEnded,
  identityOf,
  isAlive,
  listProcesses,
  type ProcessIdentity,
} from "../../src/platform/process.ts";
import { carriesTag } from "../../src/runs/shim.ts";
import { waitUntil } from "./wait-until.ts";

/** Who lives in a home: everything that was started for it has WARREN_HOME in its environment, jobs included. */
export type Role = "server" | "keeper" | "mail" | "shim" | "other";

export interface HomeProcess {
  pid: number;
  identity: ProcessIdentity;
  role: Role;
  argv: string[];
}

export function processesOf(home: string): HomeProcess[] {
  const found = listProcesses()
    .filter((info) => !hasEnded(info) && info.pid !== process.pid && environHas(info.pid, `WARREN_HOME=${home}`))
    .map((info) => ({ info, argv: argvOf(info.pid) }));
  const argvs = new Map(found.map(({ info, argv }) => [info.pid, argv]));
  return found.map(({ info, argv }) => {
    // Between fork and exec a child still looks like its parent.
    const isBeingBorn = argvs.get(info.ppid)?.join("\0") === argv.join("\0");
    return { pid: info.pid, identity: identityOf(info), role: isBeingBorn ? "other" : roleOf(argv, home), argv };
  });
}

export const withRole = (home: string, role: Role): HomeProcess[] =>
  processesOf(home).filter((one) => one.role === role);

/** What the runs of a home consist of, also those that removed their environment: they still carry the run's tag as a soft limit. */
export function treeOf(home: string, stateDb: string): HomeProcess[] {
  const state = new DatabaseSync(stateDb, { readOnly: true });
  const tags = state
    .prepare("select tag from runs")
    .all()
    .map(({ tag }) => Number(tag));
  state.close();
  return listProcesses()
    .filter((info) => !hasEnded(info))
    .filter(({ pid }) => {
      const limitBytes = fileSizeLimitOf(pid);
      return tags.some((tag) => carriesTag(limitBytes, tag) || environHas(pid, `WARREN_RUN_TAG=${tag}`));
    })
    .map((info) => ({ pid: info.pid, identity: identityOf(info), argv: argvOf(info.pid) }))
    .map((found) => ({ ...found, role: roleOf(found.argv, home) }))
    .filter(({ role }) => role === "other");
}

/** Resolves when the process is gone (a zombie is). */
export const ended = ({ identity, argv }: HomeProcess, deadlineMs = 20_000): Promise<true> =>
  waitUntil(() => !isAlive(identity), { what: `the end of pid ${identity.pid} (${argv.join(" ")})`, deadlineMs });

/** Sends SIGKILL, if it is still the same process. */
export function killProcess({ identity }: Pick<HomeProcess, "identity">): void {
  if (isAlive(identity)) signal(identity.pid, "SIGKILL");
}

/** Ends all of a home at once. */
export const killAllOf = (home: string): Promise<void> => killOf(home, () => true, `all processes of ${home}`);

/** Ends keeper and server of a home at once; what it runs goes on. */
export const killMachine = (home: string): Promise<void> =>
  killOf(home, ({ role }) => role === "keeper" || role === "server", `keeper and server of ${home}`);

/** Stopped first, so that no server sees its keeper go and starts another: one that is just being executed has no environment to be found by. */
async function killOf(home: string, isMeant: (one: HomeProcess) => boolean, what: string): Promise<void> {
  await waitUntil(
    () => {
      const left = processesOf(home).filter(isMeant);
      for (const { identity } of left) if (isAlive(identity)) signal(identity.pid, "SIGSTOP");
      for (const one of left) killProcess(one);
      return left.length === 0;
    },
    { what: `the end of ${what}` },
  );
}

/** What each open descriptor of a process points at. */
export const descriptorsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "closed meanwhile";
    }
  });

/** What a process that should have ended is doing: its state, where it waits, and its first descriptors. */
export function doingsOf(pid: number): string {
  try {
    const state = /^State:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const waits = readFileSync(`/proc/${pid}/wchan`, "utf8");
    return `${state}, in ${waits}, ${descriptorsOf(pid).slice(0, 3).join(" ")}`;
  } catch {
    return "ended meanwhile";
  }
}

export function argvOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

function roleOf(argv: string[], home: string): Role {
  // The script of a Node process is the first argument that is no flag.
  const script = argv.slice(1).find((part) => !part.startsWith("-")) ?? "";
  if (script.endsWith("/server.js")) return "server";
  if (script.endsWith("/keeper.js")) return "keeper";
  if (script.endsWith("/mail-leader.js")) return "mail";
  if (argv.some((part) => part.startsWith(`${home}/status/`) && part.endsWith(".status"))) return "shim";
  return "other";
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone between the look and the signal
  }
}
