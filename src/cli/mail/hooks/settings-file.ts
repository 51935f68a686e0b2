import { randomBytes } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { chmod, open, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectories } from "../../../platform/directories.ts";
import { homeDigest, type Places } from "../../../platform/paths.ts";
import { messageOf, systemCode, WarrenError } from "../../../protocol/errors.ts";
import { quoteWord } from "../../../protocol/quote-word.ts";

/**
 * A settings file of an agent's: read, and replaced as a whole, by its target where it is a symbolic link, with the mode that it has. What it was before we came is
 * kept, so that removing us leaves exactly that, unless somebody has changed it meanwhile.
 */
export interface SettingsText {
  /** Without symbolic links. */
  path: string;
  /** Undefined when there is none. */
  text: string | undefined;
  mode: number;
}

interface Kept {
  format: 1;
  path: string;
  /** Null: there was none. */
  before: string | null;
  after: string;
}

const NEW_FILE_MODE = 0o644;

/** @throws SETTINGS_UNREADABLE */
export async function readSettings(path: string): Promise<SettingsText> {
  try {
    const target = existsSync(path) ? realpathSync(path) : path;
    const { mode } = await stat(target);
    return { path: target, text: await readFile(target, "utf8"), mode: mode & 0o7777 };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { path, text: undefined, mode: NEW_FILE_MODE };
    throw new WarrenError("SETTINGS_UNREADABLE", `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

/** `after` undefined: the file goes. @throws SETTINGS_NOT_WRITTEN */
export async function writeSettings({ path, text, mode }: SettingsText, after: string | undefined): Promise<void> {
  // Replacing needs no right to write to the file itself, but whoever took it away meant it.
  if (text !== undefined && (mode & 0o222) === 0)
    throw notWritten(path, "it is read-only", `chmod u+w ${quoteWord(path)}`);
  try {
    if (after === undefined) {
      await rm(path, { force: true });
      await rmdir(dirname(path)).catch(() => {}); // stays when it has anything else
      return;
    }
    makeDirectories(dirname(path));
    await replace(path, after, mode);
  } catch (error) {
    throw notWritten(path, messageOf(error), `ls -ld ${quoteWord(dirname(path))} ${quoteWord(path)}`, error);
  }
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await chmod(temporary, mode); // what the umask has taken away
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** After an install: what a removal goes back to. */
export async function keepBefore(places: Places, { path, text }: SettingsText, after: string): Promise<void> {
  const known = await keptOf(places, path);
  const before = known && known.after === text ? known.before : (text ?? null);
  const file = keptPath(places, path);
  makeDirectories(dirname(file), 0o700);
  const kept: Kept = { format: 1, path, before, after };
  await replace(file, `${JSON.stringify(kept)}\n`, 0o600);
}

/** What the file was before our install: null when it was not there, undefined when it has changed since, or that is not known. */
export async function beforeInstall(places: Places, { path, text }: SettingsText): Promise<string | null | undefined> {
  const kept = await keptOf(places, path);
  return kept !== undefined && kept.after === text ? kept.before : undefined;
}

/** We made the file. */
export const isMadeByUs = async (places: Places, path: string): Promise<boolean> =>
  (await keptOf(places, path))?.before === null;

export const forgetBefore = (places: Places, path: string): Promise<void> =>
  rm(keptPath(places, path), { force: true });

async function keptOf(places: Places, path: string): Promise<Kept | undefined> {
  try {
    const kept = JSON.parse(await readFile(keptPath(places, path), "utf8")) as Kept;
    return kept.format === 1 && kept.path === path ? kept : undefined;
  } catch {
    return undefined;
  }
}

const keptPath = ({ mailDir }: Places, path: string): string =>
  join(mailDir, "hook-settings", `${homeDigest(path)}.json`);

const notWritten = (path: string, why: string, fix: string, cause?: unknown): WarrenError =>
  new WarrenError("SETTINGS_NOT_WRITTEN", `${path} was not changed: ${why}.`, { fix, cause });
