import { lstat, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { makeDirectories } from "../../platform/directories.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hintLines } from "../render/hints.ts";

export const init = defineCommand({
  usage: ["init [DIR] [--json]"],
  details:
    "Makes a small project with two workers, a page at / and an API at /api, and a warren.yaml. What is there is left alone: when one of its files exists already, nothing is written; a package.json and a .gitignore stay as they are.",
  examples: [
    { command: "warren init site", does: "makes the folder site" },
    { command: "warren init", does: "makes the project in this directory" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["file"], min: 0, max: 1 },
  async run({ cwd, output }, { values, operands }) {
    const { STARTER_FILES, SHARED_FILES } = await import("../../config/gateway/starter-project.ts");
    const dir = resolve(cwd, operands[0] ?? ".");
    const paths = Object.keys(STARTER_FILES);
    const there = await pathsThere(dir, [...paths, ...OTHER_NAMES]);
    const inTheWay = there.filter((path) => !SHARED_FILES.has(path));
    if (inTheWay.length > 0) throw filesThere(dir, inTheWay, operands[0]);
    const files = paths.filter((path) => !there.includes(path));
    await writeFiles(
      dir,
      files.map((path) => [path, STARTER_FILES[path]!]),
    );
    if (values.json) {
      output.json({ dir, files });
      return EXIT.ok;
    }
    output.line(`Made ${output.style.bold(dir)}`);
    for (const path of files) output.line(`  ${path}`);
    if (there.includes("package.json"))
      output.line("What package.json runs is no part of it: warren import makes a warren.yaml of that instead.");
    const way = relative(cwd, dir);
    const up = way === "" ? "warren up" : `cd ${quoteWord(way)} && warren up`;
    for (const line of hintLines(output, [[up, "serves it at localhost:8080"]])) output.line(line);
    return EXIT.ok;
  },
});

/** A warren.yml would stand beside the file that we write, and a project has one. */
const OTHER_NAMES = ["warren.yml", "workers/index/worker.yaml"];

async function pathsThere(dir: string, paths: readonly string[]): Promise<string[]> {
  const there: string[] = [];
  for (const path of paths) {
    const found = await lstat(join(dir, path)).catch((error: unknown) => error);
    if (!(found instanceof Error)) there.push(path);
    // ENOTDIR: what should become a folder is a file; said when it is made.
    else if (systemCode(found) !== "ENOENT" && systemCode(found) !== "ENOTDIR") throw cannotWrite(dir, found);
  }
  return there;
}

const filesThere = (dir: string, files: readonly string[], given: string | undefined): WarrenError =>
  new WarrenError("FILE_EXISTS", `${dir} has ${files.join(", ")} already; nothing was changed.`, {
    fix: given === undefined ? "warren init site" : `warren init ${quoteWord(`${given.replace(/\/+$/, "")}-2`)}`,
    detail: { files },
  });

/** Each file is made anew or not at all; what was made goes again when one cannot be. */
async function writeFiles(dir: string, files: readonly (readonly [path: string, text: string])[]): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const [path, text] of files) {
      const place = join(dir, path);
      const first = makeDirectories(dirname(place));
      for (const folder of foldersFrom(first, dirname(place))) undo.push(() => rmdir(folder));
      await writeFile(place, text, { flag: "wx" });
      undo.push(() => rm(place));
    }
  } catch (error) {
    // A folder in which somebody has put something meanwhile stays.
    for (const step of undo.reverse()) await step().catch(() => {});
    throw cannotWrite(dir, error);
  }
}

/** Those that were made, the outermost first. */
function foldersFrom(first: string | undefined, last: string): string[] {
  const folders: string[] = [];
  for (let folder = last; first !== undefined && folder.length >= first.length; folder = dirname(folder))
    folders.unshift(folder);
  return folders;
}

const cannotWrite = (dir: string, error: unknown): WarrenError =>
  new WarrenError("INIT_FAILED", `The project cannot be made in ${dir}: ${messageOf(error)}.`, { cause: error });
