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
  return connectionIn(await readTables(), localPort, remotePort);
}

/**
 * The same for many at once: whoever asks while the table is read is answered by the next reading of it, with all others who wait. The table has a row
 * for every connection of the machine, so a reading for each of a thousand that come together would keep their server busy for seconds.
 */
export class SharedTcpTable {
  readonly #read: typeof readTables;
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<Table[]> | undefined;

  constructor(read = readTables) {
    this.#read = read;
  }

  async connection(localPort: number, remotePort: number): Promise<TcpConnection | undefined> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined; // who asks from here on may have come too late for this one
      const tables = this.#read();
      this.#reading = tables.catch(() => {});
      return tables;
    });
    return connectionIn(await this.#next, localPort, remotePort);
  }
}

/** Its rows by the ports of both ends, `:1F90:C350`; of equal ones the first. */
export type Table = ReadonlyMap<string, readonly string[]>;

/** For IPv4 and IPv6, those that there are. */
export async function readTables(): Promise<Table[]> {
  const texts = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "latin1").catch(() => undefined)),
  );
  return texts.filter((text) => text !== undefined).map(tableOf);
}

function tableOf(text: string): Table {
  const rows = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const ports = portOf(fields[1]) + portOf(fields[2]);
    if (!rows.has(ports)) rows.set(ports, fields);
  }
  return rows;
}

function connectionIn(tables: readonly Table[], localPort: number, remotePort: number): TcpConnection | undefined {
  if (tables.length === 0) return undefined;
  const [ours, theirs] = [`:${hexPort(localPort)}`, `:${hexPort(remotePort)}`];
  const found: TcpConnection = { ours: undefined, theirs: undefined };
  for (const rows of tables) {
    found.ours ??= toEnd(rows.get(ours + theirs));
    found.theirs ??= toEnd(rows.get(theirs + ours));
    if (found.ours !== undefined) break;
  }
  return found;
}

/** `:1F90` of `0100007F:1F90`. */
const portOf = (address = ""): string => address.slice(address.lastIndexOf(":"));

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");

/** `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`, numbers in hexadecimal up to `retrnsmt`. */
function toEnd(fields: readonly string[] | undefined): TcpEnd | undefined {
  if (fields === undefined) return undefined;
  const [sent, received] = (fields[4] ?? "").split(":");
  return {
    state: STATES[fields[3] ?? ""] ?? "other",
    unsentBytes: Number.parseInt(sent ?? "0", 16),
    unreadBytes: Number.parseInt(received ?? "0", 16),
    uid: Number(fields[7]),
    inode: Number(fields[9]),
  };
}
