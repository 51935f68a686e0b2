import { readFile, stat } from "node:fs/promises";
import { systemCode, WarrenError } from "../protocol/errors.ts";

/** A larger file is refused before it is read: it is not a configuration. */
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * The text of a configuration file, or undefined when there is none.
 * @throws CONFIG_UNREADABLE when it is a directory, too large, or not ours to read.
 */
export async function readText(file: string, bytesMax = FILE_BYTES_MAX): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax) throw unreadable(file, `it is larger than ${bytesMax} bytes`);
    return await readFile(file, "utf8");
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof WarrenError) throw error;
    throw unreadable(file, code ?? "unknown reason", error);
  }
}

function unreadable(file: string, reason: string, cause?: unknown): WarrenError {
  return new WarrenError("CONFIG_UNREADABLE", `${file} cannot be read: ${reason}.`, { cause, detail: { file } });
}
