import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseBytes, parseDuration } from "../protocol/durations.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { Context } from "./context.ts";
import { usageError } from "./usage-error.ts";

/** Values of flags that are read the same way everywhere. Each answers undefined for an absent flag. @throws USAGE */

export function durationOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw usageError(`${flag} ${text} is no duration. Write 500ms, 30s, 2m or 1h30m.`);
  return ms;
}

export function sizeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw usageError(`${flag} ${text} is no size. Write 4096, 64k or 10MB.`);
  return bytes;
}

export function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const example = flag === "--port" ? 3000 : 20;
  if (!/^\d{1,15}$/.test(text)) throw usageError(`${flag} ${text} is no whole number. Write ${flag} ${example}.`);
  return Number(text);
}

/**
 * The directory in which something is to run. On another machine, which finds it itself: absolute, or from its user's home on, which is the default.
 * @throws DIRECTORY_NOT_FOUND, USAGE
 */
export function directoryAsked({ cwd, machine }: Pick<Context, "cwd" | "machine">, text: string | undefined): string {
  if (!machine) return directoryOf(cwd, text);
  if (text === undefined || /^(\/|~\/|~$)/.test(text)) return text ?? "~";
  throw usageError(
    `--dir ${text} begins nowhere on ${machine.name}. Write a whole path, or one from its home on.`,
    `warren --on ${machine.name} … --dir '~/${text.replace(/^\.\//, "")}'`,
  );
}

/** The directory without symbolic links. @throws DIRECTORY_NOT_FOUND */
export function directoryOf(cwd: string, text: string | undefined): string {
  if (text === undefined) return cwd;
  const path = resolve(cwd, text);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new WarrenError("DIRECTORY_NOT_FOUND", `There is no directory ${path}.`, { fix: `mkdir -p ${path}` });
  }
  return realpathSync(path);
}
