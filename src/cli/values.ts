import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseBytes, parseDuration } from "../protocol/durations.ts";
import { WarrenError } from "../protocol/errors.ts";
import { MAIL_ID_CHARACTERS_MAX } from "../protocol/mail-limits.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import type { Context } from "./context.ts";
import { shown, usageError } from "./usage-error.ts";

/** Values of flags that are read the same way everywhere. Each answers undefined for an absent flag. @throws USAGE */

export function durationOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw usageError(`${flag} ${shown(text)} is no duration. Write 500ms, 30s, 2m or 1h30m.`);
  return ms;
}

export function sizeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw usageError(`${flag} ${shown(text)} is no size. Write 4096, 64k or 10MB.`);
  return bytes;
}

/** One that the mailbox keeps. */
export function idOf(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || (text !== "" && text.length <= MAIL_ID_CHARACTERS_MAX)) return text;
  throw usageError(`${flag} has ${text.length} characters, not 1 to ${MAIL_ID_CHARACTERS_MAX}.`);
}

/** @param range what is taken; default: any. */
export function countOf(
  flag: string,
  text: string | undefined,
  { min = 0, max }: { min?: number; max?: number } = {},
): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw usageError(`${flag} ${shown(text)} is no whole number. Write ${flag} 20.`);
  const count = Number(text);
  if (count >= min && (max === undefined || count <= max)) return count;
  throw usageError(`${flag} ${text}: ${max === undefined ? `at least ${min}` : `${min} to ${max}`}. Write ${flag} 20.`);
}

const PORT_MAX = 65_535;

/** @param usual is said where `text` is no port; @param min 0 where that means any free one. */
export function portOf(
  { flag, usual, min = 0 }: { flag: string; usual: number; min?: 0 | 1 },
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= min && port <= PORT_MAX) return port;
  // A variable is written as a shell takes it.
  const mark = flag.startsWith("-") ? " " : "=";
  throw usageError(`${flag}${mark}${shown(text)} is no port. Write ${flag}${mark}${usual}.`);
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
    `warren --on ${quoteWord(machine.name)} … --dir ${quoteWord(`~/${text.replace(/^\.\//, "")}`)}`,
  );
}

/** The directory without symbolic links. @throws DIRECTORY_NOT_FOUND */
export function directoryOf(cwd: string, text: string | undefined): string {
  if (text === undefined) return cwd;
  const path = resolve(cwd, text);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new WarrenError("DIRECTORY_NOT_FOUND", `There is no directory ${path}.`, {
      fix: `mkdir -p ${quoteWord(path)}`,
    });
  }
  return realpathSync(path);
}
