import { readFile } from "node:fs/promises";

/**
 * What the kernel knows of one connection of this machine, from /proc/net/tcp (proc_pid_net(5)): both ends are in it, since they are on the same machine. Of a
 * connection to ourselves the other end's row tells who has it, and how much of what was sent is still unread.
 */
export interface TcpEnd {
  state: TcpState;
  /** Sent and not acknowledged by the other kernel. */
  unsentBytes: number;
  /** Arrived and not read by the program. */
  unreadBytes: number;
  uid: number;
  /** 0: no program has it open any more. */
  inode: number;
}

export type TcpState = "established" | "close_wait" | "other";

export interface TcpConnection {
  /** Undefined: it is gone; a reset took it away. */
  ours: TcpEnd | undefined;
  theirs: TcpEnd | undefined;
}

const STATES: Readonly<Record<string, TcpState>> = { "01": "established", "08": "close_wait" };

/** Undefined where there is no such table: not on Linux, or /proc is hidden. */
export async function tcpConnection(localPort: number, remotePort: number): Promise<TcpConnection | undefined> {
  const ours = `:${hexPort(localPort)}`;
  const theirs = `:${hexPort(remotePort)}`;
  const found: TcpConnection = { ours: undefined, theirs: undefined };
  let hasTable = false;
  for (const table of ["tcp", "tcp6"]) {
    const text = await readFile(`/proc/net/${table}`, "latin1").catch(() => undefined);
    if (text === undefined) continue;
    hasTable = true;
    for (const line of text.split("\n")) {
      if (!line.includes(ours) || !line.includes(theirs)) continue;
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(ours) && fields[2]?.endsWith(theirs)) found.ours ??= toEnd(fields);
      else if (fields[1]?.endsWith(theirs) && fields[2]?.endsWith(ours)) found.theirs ??= toEnd(fields);
    }
    if (found.ours !== undefined) break;
  }
  return hasTable ? found : undefined;
}

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");

/** `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`, numbers in hexadecimal up to `retrnsmt`. */
function toEnd(fields: readonly string[]): TcpEnd {
  const [sent, received] = (fields[4] ?? "").split(":");
  return {
    state: STATES[fields[3] ?? ""] ?? "other",
    unsentBytes: Number.parseInt(sent ?? "0", 16),
    unreadBytes: Number.parseInt(received ?? "0", 16),
    uid: Number(fields[7]),
    inode: Number(fields[9]),
  };
}
