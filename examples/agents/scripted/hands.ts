import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import type { Fields, Peer } from "./peer.ts";

/** Files and commands: through the client when it offers them, else by itself. */
export interface Hands {
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  /** `started` gets the terminal's id when there is one. */
  run(
    command: string,
    cwd: string,
    started: (terminalId: string) => void,
  ): Promise<{ output: string; exitCode: number | null }>;
}

export function handsOf(client: Fields, sessionId: string, peer: Peer): Hands {
  const fs = (client.fs ?? {}) as { readTextFile?: boolean; writeTextFile?: boolean };
  const request = (method: string, params: Fields) => peer.request(method, { sessionId, ...params });
  return {
    read: async (path) =>
      fs.readTextFile ? String((await request("fs/read_text_file", { path })).content) : readFile(path, "utf8"),
    write: async (path, content) => {
      if (fs.writeTextFile) await request("fs/write_text_file", { path, content });
      else await writeFile(path, content);
    },
    run: (command, cwd, started) =>
      client.terminal === true ? runInTerminal(request, command, cwd, started) : runByItself(command, cwd),
  };
}

async function runInTerminal(
  request: (method: string, params: Fields) => Promise<Fields>,
  command: string,
  cwd: string,
  started: (terminalId: string) => void,
): Promise<{ output: string; exitCode: number | null }> {
  const { terminalId } = await request("terminal/create", { command: "sh", args: ["-c", command], cwd });
  started(String(terminalId));
  const { exitCode } = await request("terminal/wait_for_exit", { terminalId });
  const { output } = await request("terminal/output", { terminalId });
  await request("terminal/release", { terminalId });
  return { output: String(output), exitCode: (exitCode ?? null) as number | null };
}

function runByItself(command: string, cwd: string): Promise<{ output: string; exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ output, exitCode }));
  });
}
