import { randomBytes } from "node:crypto";
import { chmod, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { makeDirectories } from "../../platform/directories.ts";
import { messageOf, systemCode } from "../../protocol/errors.ts";
import { RPC } from "./json-rpc.ts";
import { RpcFailure } from "./rpc-failure.ts";

/** An agent's files: ACP's fs/read_text_file and fs/write_text_file. Errors are RpcFailures, for the agent to read. */
export interface AgentFiles {
  /** From `line` (from 1; default: the first) on, `limit` lines at most (default: all). */
  read(request: { path: string; line?: number; limit?: number }): Promise<string>;
  /** The file is new or old, never half; its mode stays, a symbolic link stays one, missing directories are made. */
  write(request: { path: string; content: string }): Promise<void>;
}

/** A larger file is not read, not even for a part of it. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const NEW_FILE_MODE = 0o666;

export const systemFiles: AgentFiles = {
  async read({ path, line = 1, limit }) {
    await checkReadable(path);
    const text = await readFile(path, "utf8").catch((error: unknown) => fail(path, error));
    return line <= 1 && limit === undefined ? text : linesOf(text, line, limit);
  },

  async write({ path, content }) {
    requireAbsolute(path);
    try {
      makeDirectories(dirname(path));
      await replaceFile(await realpath(path).catch(() => path), content);
    } catch (error) {
      fail(path, error);
    }
  },
};

async function checkReadable(path: string): Promise<void> {
  requireAbsolute(path);
  const found = await stat(path).catch((error: unknown) => fail(path, error));
  // A FIFO or a device could be read for ever.
  if (!found.isFile()) throw new RpcFailure(RPC.invalidParams, `${path} is no file`);
  if (found.size > FILE_BYTES_MAX) {
    throw new RpcFailure(RPC.invalidParams, `${path} has ${found.size} bytes; ${FILE_BYTES_MAX} is the most`);
  }
}

function linesOf(text: string, line: number, limit: number | undefined): string {
  let start = 0;
  for (let passed = 1; passed < line; passed++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return "";
    start = end + 1;
  }
  if (limit === undefined) return text.slice(start);
  let end = start;
  for (let taken = 0; taken < limit && end < text.length; taken++) {
    const next = text.indexOf("\n", end);
    if (next === -1) return text.slice(start);
    end = next + 1;
  }
  return text.slice(start, end);
}

async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`);
  const mode = await stat(path).then(
    (found) => found.mode & 0o7777,
    () => undefined,
  );
  try {
    const file = await open(temporary, "wx", NEW_FILE_MODE);
    try {
      await file.writeFile(content);
      await file.datasync();
    } finally {
      await file.close();
    }
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function requireAbsolute(path: string): void {
  if (!isAbsolute(path)) throw new RpcFailure(RPC.invalidParams, `the path ${JSON.stringify(path)} is not absolute`);
}

function fail(path: string, error: unknown): never {
  const code = systemCode(error) === "ENOENT" ? RPC.resourceNotFound : RPC.internal;
  throw new RpcFailure(code, code === RPC.resourceNotFound ? `${path} does not exist` : messageOf(error));
}
