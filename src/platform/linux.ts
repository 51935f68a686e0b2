import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { SocketAddress } from "node:net";
import type { Port } from "../protocol/units.ts";
import type { ProcessInfo } from "./process.ts";

/**
 * The process table from /proc (proc(5)). A process may vanish between any two reads, so every read may answer "not there". Files are read into one
 * buffer per scan: a readFileSync for each of 600 processes costs three times as much.
 */

/** USER_HZ: fixed at 100 in the kernel's interface on every architecture that Node runs on. */
export const ticksPerSecond = 100;

/** Enough for every stat line and for most environments; grows for the others. */
const READ_BYTES = 64 * 1024;
/** An environment longer than this is searched only so far. The kernel's own limit is a quarter of the stack limit, 2 MiB by default. */
const ENVIRON_BYTES_MAX = 8 * 1024 * 1024;

const PAGE_SIZE_KEY = 6n; // AT_PAGESZ, getauxval(3)
const NUL = 0;
const NEWLINE = 0x0a;

export function bootId(): string {
  return (new ProcReader(4096).read("/proc/sys/kernel/random/boot_id")?.toString("latin1") ?? "").trim();
}

export function readProcess(pid: number): ProcessInfo | undefined {
  const reader = new ProcReader(4096);
  return parseStat(reader.readLine(`/proc/${pid}/stat`));
}

export function listProcesses(): ProcessInfo[] {
  const reader = new ProcReader(4096);
  const found: ProcessInfo[] = [];
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const info = parseStat(reader.readLine(`/proc/${name}/stat`));
    if (info !== undefined) found.push(info);
  }
  return found;
}

export function commandLines(): string[] {
  const reader = new ProcReader();
  const pids = readdirSync("/proc").filter((name) => /^\d/.test(name));
  return pids.flatMap((pid) => reader.read(`/proc/${pid}/cmdline`)?.toString("utf8").replaceAll("\0", " ") ?? []);
}

export function environValues(pid: number, name: string): string[] {
  const environ = new ProcReader().read(`/proc/${pid}/environ`);
  if (environ === undefined) return [];
  const wanted = Buffer.from(`${name}=`);
  const values: string[] = [];
  for (let at = environ.indexOf(wanted); at !== -1; at = environ.indexOf(wanted, at + 1)) {
    if (at !== 0 && environ[at - 1] !== NUL) continue;
    const end = environ.indexOf(NUL, at);
    values.push(environ.toString("utf8", at + wanted.length, end === -1 ? environ.length : end));
  }
  return values;
}

/** The line "Max file size  <soft>  <hard>  bytes"; the file is readable for every process, other users' and set-user-id ones included. */
export function fileSizeLimitOf(pid: number): number | undefined {
  const limits = new ProcReader(4096).read(`/proc/${pid}/limits`);
  if (limits === undefined) return undefined;
  const label = "Max file size";
  const at = limits.indexOf(label);
  if (at === -1) return undefined;
  const line = limits.toString("latin1", at + label.length, limits.indexOf(NEWLINE, at));
  const soft = line.trimStart().split(" ", 1)[0];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

export function listeningPorts(pids: readonly number[]): Port[] {
  const ports = new Map<string, Port>();
  const tables = new Map<string, Map<string, ListeningSocket>>();
  for (const pid of pids) {
    const network = linkOf(`/proc/${pid}/ns/net`) ?? "own";
    let sockets = tables.get(network);
    if (sockets === undefined) {
      sockets = listeningSockets(network === "own" ? "self" : String(pid));
      tables.set(network, sockets);
    }
    if (sockets.size === 0) continue;
    for (const inode of socketInodesOf(pid)) {
      const socket = sockets.get(inode);
      if (socket === undefined) continue;
      const key = `${socket.protocol} ${socket.address} ${socket.port}`;
      // Forked workers share one socket; the first process that was asked about stands for them.
      if (!ports.has(key)) ports.set(key, { ...socket, pid });
    }
  }
  return [...ports.values()].sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}

export function listeningTcpPorts(): Set<number> {
  const sockets = [...listeningSockets("self").values()];
  return new Set(sockets.filter(({ protocol }) => protocol.startsWith("tcp")).map(({ port }) => port));
}

type ListeningSocket = { port: number; protocol: Port["protocol"]; address: string };

/** Reads /proc files into one buffer; the result is valid until the next read. */
class ProcReader {
  #buffer: Buffer;

  constructor(sizeBytes: number = READ_BYTES) {
    this.#buffer = Buffer.allocUnsafe(sizeBytes);
  }

  /** Undefined when the file is not there or may not be read. */
  read(path: string, bytesMax: number = ENVIRON_BYTES_MAX): Buffer | undefined {
    return this.#withFile(path, (fd) => this.#readAll(fd, bytesMax));
  }

  /** A file of one short line, which the kernel gives whole: it is not asked whether there is more. */
  readLine(path: string): Buffer | undefined {
    return this.#withFile(path, (fd) => this.#buffer.subarray(0, readSync(fd, this.#buffer)));
  }

  #withFile(path: string, read: (fd: number) => Buffer): Buffer | undefined {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch {
      return undefined;
    }
    try {
      return read(fd);
    } catch {
      return undefined; // ESRCH: it ended between open and read
    } finally {
      closeSync(fd);
    }
  }

  #readAll(fd: number, bytesMax: number): Buffer {
    let length = 0;
    while (length < bytesMax) {
      if (length === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(length)]);
      const count = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return this.#buffer.subarray(0, length);
  }
}

/** proc_pid_stat(5): `pid (comm) state ppid pgrp session …`; comm may hold spaces and brackets, so the fields are counted from the last bracket. */
function parseStat(stat: Buffer | undefined): ProcessInfo | undefined {
  if (stat === undefined || stat.length === 0) return undefined;
  const text = stat.toString("latin1");
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close === -1) return undefined;
  const fields = text.slice(close + 2).split(" ");
  // fields[0] is field 3 of the manual.
  const at = (field: number) => Number(fields[field - 3]);
  return {
    pid: Number(text.slice(0, open - 1)),
    ppid: at(4),
    pgid: at(5),
    sid: at(6),
    foregroundGroup: at(8),
    state: fields[0]!,
    startTicks: at(22),
    comm: text.slice(open + 1, close),
    cpuTicks: at(14) + at(15),
    reapedCpuTicks: at(16) + at(17),
    rssBytes: at(24) * pageSizeBytes(),
  };
}

let knownPageBytes: number | undefined;

/** The same for as long as the system runs. */
function pageSizeBytes(): number {
  knownPageBytes ??= readPageSize();
  return knownPageBytes;
}

function readPageSize(): number {
  const auxv = new ProcReader(4096).read("/proc/self/auxv");
  for (let at = 0; auxv !== undefined && at + 16 <= auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === PAGE_SIZE_KEY) return Number(auxv.readBigUInt64LE(at + 8));
  }
  return 4096;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function socketInodesOf(pid: number): string[] {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  const prefix = "socket:[";
  return names
    .map((name) => linkOf(`/proc/${pid}/fd/${name}`))
    .filter((target) => target?.startsWith(prefix))
    .map((target) => target!.slice(prefix.length, -1));
}

/** Sockets that wait for others, by inode: TCP in state LISTEN (0A), UDP bound and not connected (07). */
function listeningSockets(pid: string): Map<string, ListeningSocket> {
  const sockets = new Map<string, ListeningSocket>();
  const reader = new ProcReader();
  for (const protocol of ["tcp", "tcp6", "udp", "udp6"] as const) {
    const state = protocol.startsWith("tcp") ? " 0A " : " 07 ";
    const table = reader.read(`/proc/${pid}/net/${protocol}`, Number.POSITIVE_INFINITY);
    if (table === undefined) continue;
    let start = table.indexOf(NEWLINE) + 1; // the first line is a heading
    while (start > 0 && start < table.length) {
      const end = table.indexOf(NEWLINE, start);
      const line = table.toString("latin1", start, end === -1 ? table.length : end);
      if (line.includes(state)) addSocket(sockets, protocol, line, state.trim());
      start = end + 1;
    }
  }
  return sockets;
}

/** `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …` (proc_pid_net(5)). */
function addSocket(
  sockets: Map<string, ListeningSocket>,
  protocol: Port["protocol"],
  line: string,
  state: string,
): void {
  const fields = line.trim().split(/\s+/);
  const [host, port] = (fields[1] ?? "").split(":");
  const inode = fields[9];
  if (fields[3] !== state || host === undefined || port === undefined || inode === undefined) return;
  const address = host.length === 8 ? ipv4Of(host) : ipv6Of(host);
  sockets.set(inode, { port: Number.parseInt(port, 16), protocol, address });
}

/** The address as one number in the machine's byte order, which is little-endian wherever Node runs on Linux but s390x. */
function ipv4Of(hex: string): string {
  return [...Buffer.from(hex, "hex")].reverse().join(".");
}

/** Four numbers of 32 bits, each in the machine's byte order. */
function ipv6Of(hex: string): string {
  const bytes = Buffer.from(hex, "hex").swap32().toString("hex");
  const address = bytes.match(/.{4}/g)!.join(":");
  return new SocketAddress({ address, family: "ipv6" }).address;
}
