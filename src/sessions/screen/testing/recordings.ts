import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { spawn } from "@lydell/node-pty";

/** What real programs write to a terminal, recorded while they run in one. */
export const RECORDED_SIZE = { cols: 80, rows: 24 };

const DEADLINE_MS = 20_000;

export function isInstalled(program: string, path = process.env.PATH ?? ""): boolean {
  return path.split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Step {
  /** What has to be seen first, since the step before. */
  sees: string;
  types: string;
}

/** All that it writes until it ends. */
export async function record(command: readonly string[], steps: readonly Step[] = []): Promise<Buffer> {
  const [file, ...args] = command;
  const home = mkdtempSync(join(tmpdir(), "warren-record-"));
  const program = spawn(file!, args, {
    ...RECORDED_SIZE,
    name: "xterm-256color",
    cwd: home,
    encoding: null,
    env: { PATH: process.env.PATH ?? "", HOME: home, LANG: "C.UTF-8", TERM: "xterm-256color", LESSHISTFILE: "-" },
  });
  const parts: Buffer[] = [];
  const left = [...steps];
  let seenFrom = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => {
        program.kill("SIGKILL");
        reject(
          new Error(`${file} did not end; it waits for ${left[0]?.sees}: ${Buffer.concat(parts).toString("latin1")}`),
        );
      }, DEADLINE_MS);
      program.onData((data: unknown) => {
        parts.push(data as Buffer);
        const seen = Buffer.concat(parts).toString("latin1");
        while (left[0] && seen.includes(left[0].sees, seenFrom)) {
          seenFrom = seen.length;
          program.write(left.shift()!.types);
        }
      });
      program.onExit(() => {
        clearTimeout(deadline);
        resolve();
      });
    });
    return Buffer.concat(parts);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** A file for them to show; removed with the answer. */
export function textFile(text: string): { path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), "warren-text-"));
  const path = join(dir, "example.c");
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
