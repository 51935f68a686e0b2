import type { DeployHost } from "../config/gateway/deployment.ts";
import { systemCode } from "../protocol/errors.ts";
import { copyFailed, programMissing } from "./errors.ts";
import { lastLine, runProgram } from "./run-program.ts";
import { rsyncShell } from "./shell-words.ts";
import { sshWords } from "./ssh.ts";

/** Copies files of the project to a folder of the host by rsync; what is there already, below `unchangedDir`, is linked and not sent. */
export interface CopyOptions {
  host: DeployHost;
  projectDir: string;
  /** Relative to the project. */
  files: readonly string[];
  stagingDir: string;
  unchangedDir: string;
  isInteractive: boolean;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** Bytes as rsync counted them. */
export interface Copied {
  sentFiles: number;
  sentBytes: number;
}

/**
 * `--checksum`: two files of one size and one second are not the same. `-s`: names are no matter of the host's shell. `--no-implied-dirs`: a folder that is a
 * link there stays one.
 */
const FLAGS = [
  "-lptz",
  "--checksum",
  "--from0",
  "--files-from=-",
  "--no-implied-dirs",
  "--stats",
  "-s",
  "--timeout=120",
] as const;

/** @throws COPY_FAILED, PROGRAM_NOT_FOUND */
export async function copyTo(options: CopyOptions): Promise<Copied> {
  const { host, projectDir, files, stagingDir, unchangedDir, isInteractive, env, signal } = options;
  const command = [
    "rsync",
    ...FLAGS,
    `--link-dest=${unchangedDir}`,
    "-e",
    rsyncShell(sshWords({ host, isInteractive })),
    "./",
    `${host.destination}:${stagingDir}/`,
  ];
  try {
    const input = files.map((file) => `${file}\0`).join("");
    const end = await runProgram({ command, cwd: projectDir, env: { ...env, LC_ALL: "C" }, signal, input });
    if (end.status === 0) return statsOf(end.stdout);
    throw copyFailed(host, saidBy(end.stderr));
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw programMissing("rsync");
    throw error;
  }
}

/** rsync ends with a line that says in which of its files it gave up; what went wrong stands before it. */
function saidBy(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "" && !/^rsync error: .* at \w+\.c/.test(line));
  return lastLine(lines.join("\n")) || lastLine(stderr) || "rsync says nothing";
}

function statsOf(stdout: string): Copied {
  const number = (label: string): number => {
    const found = new RegExp(`^${label}: ([\\d,.]+)`, "m").exec(stdout)?.[1] ?? "0";
    return Number(found.replaceAll(/[,.]/g, ""));
  };
  return {
    sentFiles: number("Number of regular files transferred"),
    sentBytes: number("Total transferred file size"),
  };
}
