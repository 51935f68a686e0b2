import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../../platform/directories.ts";
import { cutText } from "../../protocol/cut-text.ts";
import type { IpcMessage } from "./replies.ts";

/**
 * Messages that are longer than what claude-ipc's clients read in one go. As its documents promise: all of it goes into a file, and the reader is told the first
 * two sentences and the file's path. The log keeps the message itself; the file is a copy for this reader.
 */

/** Where a text was put. The same `name` twice is the same text. */
export type StoreLarge = (name: string, text: string) => Promise<string>;

/** As long as a message lives; looked at when another is written. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const SUMMARY_CHARACTERS_MAX = 300;

export function largeMessageFiles(directory: string, nowMs: () => number = Date.now): StoreLarge {
  return async (name, text) => {
    makeDirectories(directory, 0o700);
    await removeOld(directory, nowMs() - KEPT_MS);
    const path = join(directory, name);
    const unfinished = `${path}.${process.pid}.tmp`;
    await writeFile(unfinished, text, { mode: 0o600 });
    await rename(unfinished, path);
    return path;
  };
}

/** `message` with a pointer in the place of its text. */
export async function shorten(message: IpcMessage, id: string, store: StoreLarge): Promise<IpcMessage> {
  const { content, data } = message.message;
  const stem = `${message.timestamp.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}_${message.from}_${message.to}_${id.replace(/[^\w-]/g, "-").slice(0, 64)}`;
  const isDataLong = data !== undefined && JSON.stringify(data).length > SUMMARY_CHARACTERS_MAX;
  const path = await store(`${stem}_message.md`, content);
  const dataPath = isDataLong ? await store(`${stem}_data.json`, JSON.stringify(data)) : undefined;
  const summary = summaryOf(content);
  return {
    ...message,
    message: {
      content: `${summary} Full content saved to: ${path}`,
      data: {
        ...(isDataLong || typeof data !== "object" ? {} : data),
        large_message_file: path,
        original_size_kb: Math.round((Buffer.byteLength(content) / 1024) * 10) / 10,
        ...(dataPath === undefined ? {} : { large_data_file: dataPath }),
      },
    },
    summary,
    large_file_path: path,
  };
}

/** The first two sentences. */
function summaryOf(content: string): string {
  const begin = cutText(content, SUMMARY_CHARACTERS_MAX).toWellFormed();
  return /^(?:[\s\S]*?[.!?](?=\s|$)){1,2}/.exec(begin)?.[0].trim() ?? begin.trim();
}

async function removeOld(directory: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() && found.mtimeMs < beforeMs) await rm(path, { force: true });
  }
}
