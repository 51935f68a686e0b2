import { randomBytes } from "node:crypto";
import { link, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../platform/directories.ts";
import { homeDigest, type Places } from "../platform/paths.ts";
import { messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";

/**
 * What makes a name an agent's own: a secret, one line in a file for each project and name, `<home>/mail/agents/<project>/<name>.key` (0600). An agent
 * that is started again, or has forgotten all, has the same inbox as soon as it says its name in the same project; in another project the name is taken.
 */
const KEY_BYTES = 32;
const SUFFIX = ".key";
/** As participants' names are, so that none is a path. */
export const NAME = /^[A-Za-z0-9_-]{1,32}$/;

export interface KeyFile {
  key: string;
  /** Nobody in this project had the name before. */
  isNew: boolean;
}

/** @throws INVALID_NAME, KEY_FILE_UNREADABLE */
export async function keyOf(places: Places, project: string, name: string): Promise<KeyFile> {
  const dir = keysDir(places, project);
  if (!NAME.test(name)) throw invalidName(name);
  const path = keyFileOf(places, project, name);
  try {
    makeDirectories(dir, 0o700);
    const made = await makeKey(path);
    if (made !== undefined) return { key: made, isNew: true };
    const key = (await readFile(path, "utf8")).trim();
    if (key === "") throw new Error("it is empty");
    const now = new Date();
    await utimes(path, now, now); // who was here last is told first
    return { key, isNew: false };
  } catch (error) {
    throw new WarrenError("KEY_FILE_UNREADABLE", `The key file ${path} cannot be used: ${messageOf(error)}.`, {
      fix: `rm ${quoteWord(path)}`,
      cause: error,
    });
  }
}

/** Undefined when there is one. Appears whole or not at all: two processes that begin at once have the same key. */
async function makeKey(path: string): Promise<string | undefined> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return undefined;
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const key = randomBytes(KEY_BYTES).toString("base64url");
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${key}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    return key;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A name that was not to be had after all. */
export const removeKey = (places: Places, project: string, name: string): Promise<void> =>
  rm(keyFileOf(places, project, name), { force: true });

export async function renameKey(
  places: Places,
  project: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const dir = keysDir(places, project);
  await rename(join(dir, `${from}${SUFFIX}`), join(dir, `${to}${SUFFIX}`));
}

/** The names that agents of this project have had, the last one first. */
export async function namesOf(places: Places, project: string): Promise<string[]> {
  const dir = keysDir(places, project);
  const files = await readdir(dir).catch(() => []);
  const dated = await Promise.all(
    files
      .filter((file) => file.endsWith(SUFFIX))
      .map(async (file) => ({
        name: file.slice(0, -SUFFIX.length),
        atMs: (await stat(join(dir, file)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
  );
  return dated.sort((a, b) => b.atMs - a.atMs).map(({ name }) => name);
}

const invalidName = (name: string): WarrenError =>
  new WarrenError("INVALID_NAME", `"${name}" is no name of a participant: 1 to 32 letters, digits, "-" and "_".`, {
    fix: "warren mcp --as reviewer",
  });

/** Where the key of this name is, or would be. */
export const keyFileOf = (places: Places, project: string, name: string): string =>
  join(keysDir(places, project), `${name}${SUFFIX}`);

const keysDir = ({ home }: Places, project: string): string => join(home, "mail", "agents", homeDigest(project));
