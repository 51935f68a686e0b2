import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { WarrenError } from "../../protocol/errors.ts";
import { readText } from "../read-text.ts";
import { type Draft, importInvalid, type Note, toYaml } from "./draft.ts";
import { readGobfile } from "./gobfile.ts";
import { readPackageJson } from "./package-json.ts";
import { readEcosystem } from "./pm2.ts";
import { readProcfile } from "./procfile.ts";
import { type RunOptions, runEcosystem } from "./run-ecosystem.ts";

/** A warren.yaml from what another tool's file says. Nothing is written; the caller shows the notes and decides. */
export interface Imported {
  /** The text of a valid warren.yaml. */
  yaml: string;
  /** One for each key that was not taken over or was changed. */
  notes: Note[];
  /** The file that was read, absolute. */
  source: string;
  /** Where the warren.yaml belongs: its paths are relative to this directory. */
  dir: string;
}

/** In the order in which a directory is searched: what was written for a process manager before what any project has. */
const SOURCES = [
  "ecosystem.config.js",
  "ecosystem.config.cjs",
  "ecosystem.config.mjs",
  "ecosystem.config.json",
  "Procfile",
  ".config/gobfile.toml",
  "package.json",
] as const;

/**
 * Reads the file, or the first known one of a directory.
 * @throws IMPORT_NOT_FOUND, IMPORT_UNKNOWN (no such kind of file), IMPORT_INVALID (with the line, where there is one), IMPORT_TIMEOUT
 */
export async function importFrom(path: string, options: RunOptions = {}): Promise<Imported> {
  const { source, others } = await findSource(resolve(path));
  const text = await readText(source);
  if (text === undefined) throw notFound(source);
  const dir = basename(source) === "gobfile.toml" ? projectOfGobfile(source) : dirname(source);
  const draft = await read(source, text, dir, options);
  const also = others.map((file) => ({
    key: file,
    reason: "was not read: one file is imported at a time",
    instead: `name it: ${join(dir, file)}`,
  }));
  return { yaml: toYaml(draft, basename(source)), notes: [...draft.notes, ...also], source, dir };
}

async function findSource(path: string): Promise<{ source: string; others: string[] }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw notFound(path);
  if (!found.isDirectory()) return { source: path, others: [] };
  const there = await Promise.all(SOURCES.map((name) => stat(join(path, name)).catch(() => undefined)));
  const [first, ...others] = SOURCES.filter((_, index) => there[index]?.isFile());
  if (first === undefined) {
    throw new WarrenError("IMPORT_NOT_FOUND", `${path} has none of ${SOURCES.join(", ")}.`, { fix: "warren init" });
  }
  // Nearly every project has a package.json: that it was passed over is no news.
  return { source: join(path, first), others: others.filter((name) => name !== "package.json") };
}

async function read(source: string, text: string, dir: string, options: RunOptions): Promise<Draft> {
  const name = basename(source);
  const siblings = new Set(await readdir(dir));
  if (/\.config\.[cm]?js$/.test(name)) return await readEcosystem(await runEcosystem(source, options), source);
  if (name === "package.json") return readPackageJson(text, source, siblings);
  if (name.endsWith(".json")) return await readEcosystem(parseJson(text, source), source);
  if (/^Procfile(\..+)?$/.test(name)) return readProcfile(text, source, siblings.has(".env"));
  if (name === "gobfile.toml") return readGobfile(text, source);
  throw new WarrenError(
    "IMPORT_UNKNOWN",
    `${source} is none of ${SOURCES.map((known) => basename(known)).join(", ")}.`,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw importInvalid(file, `it is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function projectOfGobfile(source: string): string {
  const dir = dirname(source);
  return basename(dir) === ".config" ? dirname(dir) : dir;
}

const notFound = (path: string) =>
  new WarrenError("IMPORT_NOT_FOUND", `${path} does not exist.`, { fix: "warren import" });
