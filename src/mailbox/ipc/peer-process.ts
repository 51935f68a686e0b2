import { readdir, readlink } from "node:fs/promises";
import { readProcess } from "../../platform/process.ts";
import type { PeerProcess } from "./ipc-desk.ts";
import { type TcpEnds, tcpConnection } from "./tcp-table.ts";

const DESCRIPTOR_PREFIX = "socket:[";

/**
 * The process at the other end of a connection of this machine: who has the socket of that number open (proc(5)). Undefined when it is another user's, in
 * another namespace, gone, or when this is not Linux.
 */
export async function peerProcess(ends: TcpEnds): Promise<PeerProcess | undefined> {
  const inode = (await tcpConnection(ends))?.theirs?.inode ?? 0;
  if (inode === 0) return undefined;
  const wanted = `${DESCRIPTOR_PREFIX}${inode}]`;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  // The newest first: it has most likely just been started for this.
  for (const pid of pids.sort((a, b) => b - a)) {
    if (!(await hasOpen(pid, wanted))) continue;
    const found = readProcess(pid);
    return found === undefined ? undefined : { pid, pidStart: String(found.startTicks) };
  }
  return undefined;
}

async function hasOpen(pid: number, wanted: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => "")));
  return targets.includes(wanted);
}
