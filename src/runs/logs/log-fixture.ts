import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logPaths, pathOf, type RunLogPaths, STREAMS, type Stream } from "./files.ts";
import type { LogItem } from "./log-item.ts";
import { type OpenLogFile, openLogFile } from "./log-source.ts";
import { encodeOrder, type OrderRecord, orderHeader } from "./order-record.ts";

/** For tests: a run's files in a temporary directory, which goes when the test ends. */
export interface LogFixture extends Disposable {
  dir: string;
  paths: RunLogPaths;
  write(stream: Stream, text: string | Uint8Array): void;
  index(records: readonly OrderRecord[]): void;
}

export function temporaryRun(runId = "4xc-3"): LogFixture {
  const dir = mkdtempSync(join(tmpdir(), "warren-logs-"));
  const paths = logPaths(dir, runId);
  return {
    dir,
    paths,
    write: (stream, text) => appendFileSync(pathOf(paths, stream), text),
    index: (records) => writeFileSync(paths.indexPath, Buffer.concat([orderHeader(), ...records.map(encodeOrder)])),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** `out:text` and `err:text`, with `…` behind an unfinished line, and `-n` for what is missing. */
export function described(items: readonly LogItem[]): string[] {
  return items.map((item) =>
    item.kind === "omitted"
      ? `-${item.bytes} ${item.reason}`
      : `${item.stream.slice(3)}:${item.bytes.toString("latin1")}${item.complete ? "" : "…"}`,
  );
}

/** Reads from real files in small pieces and counts the bytes. */
export function countingReader(pieceBytes = Number.POSITIVE_INFINITY): {
  openFile: OpenLogFile;
  readBytes: () => number;
} {
  let total = 0;
  const openFile: OpenLogFile = async (path) => {
    const file = await openLogFile(path);
    if (file === undefined) return undefined;
    const read = async (buffer: Buffer, position: number): Promise<number> => {
      const count = await file.read(buffer.subarray(0, Math.min(buffer.length, pieceBytes)), position);
      total += count;
      return count;
    };
    return { ...file, read };
  };
  return { openFile, readBytes: () => total };
}

/**
 * A real process with the run's files as stdout and stderr that writes when it is told to. `write` resolves when the bytes are written and this process has
 * seen the event of the file system (a turn of the loop after the answer), so the order of writes does not hang on how busy the machine is.
 */
export async function startStepper(
  run: LogFixture,
): Promise<{ write(stream: "out" | "err", text: string, count?: number): Promise<void>; end(): Promise<void> }> {
  const fds = STREAMS.map((stream) => openSync(pathOf(run.paths, stream), "a"));
  const script = `
    process.on("message", ([fd, text, count]) => {
      for (; count > 0; count--) require("node:fs").writeSync(fd, text);
      process.send(0);
    });
    process.send(0);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", fds[0], fds[1], "ipc"] });
  for (const fd of fds) closeSync(fd);
  const signal = AbortSignal.timeout(30_000);
  await once(child, "message", { signal });
  return {
    async write(stream, text, count = 1) {
      const answered = once(child, "message", { signal });
      child.send([stream === "out" ? 1 : 2, text, count]);
      await answered;
      for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
    },
    async end() {
      const exited = once(child, "exit", { signal });
      child.disconnect();
      await exited;
    },
  };
}
