import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { endianness } from "node:os";

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

/** Both ends, as the socket of one of them has them. */
export interface TcpEnds {
  local: { address: string; port: number };
  remote: { address: string; port: number };
}

/** Undefined for a unix socket, and for one that is gone. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): TcpEnds | undefined {
  if (localAddress === undefined || localPort === undefined) return undefined;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    local: { address: localAddress, port: localPort },
    remote: { address: remoteAddress, port: remotePort },
  };
}

/** Undefined where there is no such table: not on Linux, or /proc is hidden. */
export async function tcpConnection(ends: TcpEnds): Promise<TcpConnection | undefined> {
  return connectionIn(await readTable(), ends);
}

/**
 * The same for many at once: whoever asks while the table is read is answered by the next reading of it, with all others who wait. The table has a row
 * for every connection of the machine, so a reading for each of a thousand that come together would keep their server busy for seconds.
 */
export class SharedTcpTable {
  readonly #read: typeof readTable;
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<Table | undefined> | undefined;

  constructor(read = readTable) {
    this.#read = read;
  }

  async connection(ends: TcpEnds): Promise<TcpConnection | undefined> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined; // who asks from here on may have come too late for this one
      const table = this.#read();
      this.#reading = table.catch(() => {});
      return table;
    });
    return connectionIn(await this.#next, ends);
  }
}

/**
 * Its rows by both ends, `0100007F:1F90 0100007F:C350`: by the addresses too, since whoever comes from 127.0.0.2 may choose the very port that is ours at
 * 127.0.0.1.
 */
export type Table = ReadonlyMap<string, readonly string[]>;

/** Of IPv4 and IPv6. */
export async function readTable(): Promise<Table | undefined> {
  const texts = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "latin1").catch(() => undefined)),
  );
  const there = texts.filter((text) => text !== undefined);
  if (there.length === 0) return undefined;
  return new Map(there.flatMap((text) => text.split("\n")).map(rowOf));
}

function rowOf(line: string): [string, readonly string[]] {
  const fields = line.trim().split(/\s+/);
  return [`${withoutPrefix(fields[1])} ${withoutPrefix(fields[2])}`, fields];
}

function connectionIn(table: Table | undefined, { local, remote }: TcpEnds): TcpConnection | undefined {
  if (!table) return undefined;
  const [ours, theirs] = [kernelEnd(local), kernelEnd(remote)];
  return { ours: toEnd(table.get(`${ours} ${theirs}`)), theirs: toEnd(table.get(`${theirs} ${ours}`)) };
}

/** An end as the table has it. Exported for its tests. */
export const kernelEnd = ({ address, port }: TcpEnds["local"]): string =>
  withoutPrefix(`${kernelAddress(address)}:${port.toString(16).toUpperCase().padStart(4, "0")}`);

/** Words of 32 bits in the order of this machine's bytes. */
function kernelAddress(address: string): string {
  const bytes = bytesOf(address);
  if (endianness() === "LE") bytes.swap32();
  return bytes.toString("hex").toUpperCase();
}

function bytesOf(address: string): Buffer {
  const [text = ""] = address.split("%", 1); // without its zone
  const v4 = /(?:\d+\.){3}\d+$/.exec(text)?.[0];
  const tail = Buffer.from(v4?.split(".").map(Number) ?? []);
  if (v4 === text) return tail;
  const groups = (part: string | undefined): number[] =>
    part ? part.split(":").map((one) => Number.parseInt(one, 16)) : [];
  const [before, after] = text
    .slice(0, text.length - (v4?.length ?? 0))
    .replace(/([^:]):$/, "$1")
    .split("::");
  const bytes = Buffer.alloc(16);
  const write = (values: number[], at: number): void => {
    for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, at + 2 * index);
  };
  write(groups(before), 0);
  const last = groups(after);
  write(last, 16 - tail.length - 2 * last.length);
  tail.copy(bytes, 16 - tail.length);
  return bytes;
}

/** A server that listens on `::` has IPv4 clients by mapped addresses (RFC 4291 §2.5.5.2); their own rows have them plain. */
const MAPPED = /^0{16}(?:0000FFFF|FFFF0000)(?=[0-9A-F]{8}:)/;
const withoutPrefix = (end = ""): string => end.replace(MAPPED, "");

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
