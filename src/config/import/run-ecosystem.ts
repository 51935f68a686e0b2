import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { systemCode, WarrenError } from "../../protocol/errors.ts";
import { importInvalid } from "./draft.ts";

/** An ecosystem file is a program; one that takes longer than this is killed. */
const RUN_MS_MAX = 5_000;
/** More is no configuration: the program is killed. */
const RESULT_BYTES_MAX = 1024 * 1024;
const STDERR_SHOWN_CHARACTERS = 500;

/** The result goes through a pipe of its own: configurations print. */
const PROGRAM = `
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const module = await import(pathToFileURL(process.argv[1]));
let config = module.default ?? { ...module };
if (typeof config === "function") config = await config();
writeFileSync(3, JSON.stringify(config) ?? "null");
process.exit(0);
`;

export interface RunOptions {
  /** The Node that runs it; default: ours. */
  node?: string;
  limitMs?: number;
}

/**
 * Runs a JavaScript ecosystem file in a process group of its own and returns what it exports, as JSON. Whatever it started ends with it.
 * @throws IMPORT_TIMEOUT, IMPORT_INVALID (with what it printed)
 */
export async function runEcosystem(file: string, options: RunOptions = {}): Promise<unknown> {
  const { node = process.execPath, limitMs = RUN_MS_MAX } = options;
  const child = spawn(node, ["--input-type=module", "-e", PROGRAM, file], {
    cwd: dirname(file),
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const limit = AbortSignal.timeout(limitMs);
  const kill = () => killGroup(child);
  limit.addEventListener("abort", kill, { once: true });
  child.once("exit", kill);
  try {
    const result = child.stdio[3] as Readable;
    const [[status], printed, json] = await Promise.all([
      once(child, "close"),
      text(child.stderr!),
      textUpTo(result, RESULT_BYTES_MAX, kill),
    ]);
    if (limit.aborted) {
      throw new WarrenError("IMPORT_TIMEOUT", `${file} did not finish within ${limitMs} ms; it was stopped.`);
    }
    if (json === undefined) throw importInvalid(file, `it exports more than ${RESULT_BYTES_MAX} bytes`);
    if (status !== 0 || json === "") throw importInvalid(file, `it failed: ${reasonIn(printed) ?? `status ${status}`}`);
    return JSON.parse(json);
  } finally {
    limit.removeEventListener("abort", kill);
    kill();
  }
}

async function textUpTo(stream: Readable, bytesMax: number, tooMuch: () => void): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else tooMuch();
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks).toString("utf8");
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // ESRCH: all gone. EPERM: what is left is no longer ours (macOS says so for zombies too).
    const code = systemCode(error);
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/** The line of a stack trace that says what happened. */
function reasonIn(printed: string): string | undefined {
  const lines = printed.split("\n").map((line) => line.trim());
  const reason = lines.find((line) => /^(Uncaught )?\w*Error\b.*:/.test(line)) ?? lines.find((line) => line !== "");
  return reason?.slice(0, STDERR_SHOWN_CHARACTERS);
}
