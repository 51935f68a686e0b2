import type { Port } from "../protocol/units.ts";
import type { ProcessInfo } from "./process.ts";

/**
 * The process table through ps(1), lsof(8) and sysctl(8): best effort, not tested. Each call waits for a short-lived child, since macOS has no /proc.
 * A start time has whole seconds here, so a pid that is given out again within one second is not told apart.
 */

/** `startTicks` are seconds since 1970, processor time is given in hundredths. */
export const ticksPerSecond = 100;

const COLUMNS = "pid=,ppid=,pgid=,sess=,state=,lstart=,time=,rss=,comm=";
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export function bootId(): string {
  return run("sysctl", ["-n", "kern.bootsessionuuid"]).trim();
}

export function readProcess(pid: number): ProcessInfo | undefined {
  return parseLines(run("ps", ["-o", COLUMNS, "-p", String(pid)]))[0];
}

export function listProcesses(): ProcessInfo[] {
  return parseLines(run("ps", ["-axo", COLUMNS]));
}

export function commandLines(): string[] {
  return run("ps", ["-axww", "-o", "command="]).split("\n");
}

/** ps prints the environment after the arguments, separated by blanks: a value with blanks cannot be told from two. */
export function environValues(pid: number, name: string): string[] {
  const words = run("ps", ["eww", "-o", "command=", "-p", String(pid)])
    .trim()
    .split(" ");
  return words.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
}

export function fileSizeLimitOf(_pid: number): number | undefined {
  return undefined;
}

export function listeningPorts(pids: readonly number[]): Port[] {
  if (pids.length === 0) return [];
  const ports: Port[] = [];
  let pid = 0;
  let family = "";
  let protocol = "";
  for (const line of run("lsof", ["-nP", "-iTCP", "-iUDP", "-a", "-p", pids.join(","), "-FpPtn", "-sTCP:LISTEN"]).split(
    "\n",
  )) {
    const value = line.slice(1);
    if (line.startsWith("p")) pid = Number(value);
    else if (line.startsWith("t")) family = value === "IPv6" ? "6" : "";
    else if (line.startsWith("P")) protocol = value.toLowerCase();
    else if (line.startsWith("n") && !value.includes("->")) {
      const colon = value.lastIndexOf(":");
      const port = Number(value.slice(colon + 1));
      if (!Number.isInteger(port)) continue;
      const host = value.slice(0, colon).replace(/^\[|\]$/g, "");
      const address = host === "*" ? (family === "6" ? "::" : "0.0.0.0") : host;
      ports.push({ port, protocol: `${protocol}${family}` as Port["protocol"], pid, address });
    }
  }
  return ports.sort((a, b) => a.port - b.port);
}

export function listeningTcpPorts(): Set<number> {
  const lines = run("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fn"]).split("\n");
  const ports = lines.flatMap((line) => (line.startsWith("n") ? Number(line.slice(line.lastIndexOf(":") + 1)) : []));
  return new Set(ports.filter(Number.isInteger));
}

function run(file: string, args: string[]): string {
  return (
    process.getBuiltinModule("node:child_process").spawnSync(file, args, {
      encoding: "utf8",
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    }).stdout ?? ""
  );
}

function parseLines(text: string): ProcessInfo[] {
  return text
    .split("\n")
    .map(parseLine)
    .filter((info) => info !== undefined);
}

/** `lstart` takes five words: "Thu Nov 20 10:00:00 2025". */
function parseLine(line: string): ProcessInfo | undefined {
  const words = line.trim().split(/\s+/);
  if (words.length < 13) return undefined;
  return {
    pid: Number(words[0]),
    ppid: Number(words[1]),
    pgid: Number(words[2]),
    sid: Number(words[3]) || 0,
    foregroundGroup: 0,
    state: words[4]!.slice(0, 1),
    startTicks: Math.floor(Date.parse(words.slice(5, 10).join(" ")) / 1000),
    cpuTicks: cpuTicksOf(words[10]!),
    reapedCpuTicks: 0,
    rssBytes: Number(words[11]) * 1024,
    comm: words.slice(12).join(" "),
  };
}

/** "[[days-]hours:]minutes:seconds.hundredths". */
function cpuTicksOf(time: string): number {
  const seconds = time.split(/[-:]/).reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round(seconds * ticksPerSecond);
}
