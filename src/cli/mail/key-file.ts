import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { makeDirectories } from "../../platform/directories.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** The file with the secret that a name belongs to: one line, readable by its owner alone. Whoever has it has the name. */
const KEY_BYTES = 32;

/** @throws KEY_FILE_UNREADABLE */
export async function readKey(path: string): Promise<string> {
  const file = resolve(path);
  try {
    const key = (await readFile(file, "utf8")).trim();
    if (key !== "") return key;
    throw unreadable(file, "it is empty");
  } catch (error) {
    if (error instanceof WarrenError) throw error;
    throw unreadable(file, systemCode(error) === "ENOENT" ? "it does not exist" : messageOf(error), error);
  }
}

/** The key that is there, else a new one. @throws KEY_FILE_UNREADABLE */
export async function readOrMakeKey(path: string): Promise<{ key: string; isNew: boolean }> {
  const file = resolve(path);
  try {
    makeDirectories(dirname(file), 0o700);
    const handle = await open(file, "wx", 0o600);
    const key = randomBytes(KEY_BYTES).toString("base64url");
    try {
      await handle.writeFile(`${key}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { key, isNew: true };
  } catch (error) {
    if (systemCode(error) === "EEXIST") return { key: await readKey(file), isNew: false };
    throw unreadable(file, messageOf(error), error);
  }
}

const unreadable = (file: string, why: string, cause?: unknown): WarrenError =>
  new WarrenError("KEY_FILE_UNREADABLE", `The key file ${file} cannot be used: ${why}.`, {
    fix: `warren mail register NAME --key-file ${quoteWord(file)}`,
    cause,
  });
