import { statSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { World } from "../world.ts";

export const Dir = z.string().optional().describe("The directory that is meant; default: the one of this project.");
export const JobRef = z
  .string()
  .min(1)
  .describe("The job's name or id; a name that is not of this project may be another's.");

/** @throws DIRECTORY_NOT_FOUND */
export function directoryOf({ cwd }: Pick<World, "cwd">, dir: string | undefined): string {
  const directory = resolve(cwd, dir ?? ".");
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return directory;
  throw new WarrenError("DIRECTORY_NOT_FOUND", `The directory ${directory} does not exist.`, {
    fix: `mkdir -p ${quoteWord(directory)}`,
  });
}
