import { renameSync } from "node:fs";
import { join } from "node:path";
import { readTextIfExists, writeFileAtomic } from "../../platform/atomic-file.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { Positions } from "./files.ts";
import { endOfLine, type LogItem } from "./log-item.ts";

/**
 * Named cursors: how far a reader has read each run, so that the next `logs --cursor NAME` shows only what is new. One small JSON file per name.
 * The file is replaced whole after the output was flushed: a reader that dies before sees those lines again, and none is skipped. Two readers that use one
 * name at once: the last to finish wins, and the file is never torn.
 */

export interface CursorRef {
  /** `<home>/cursors` */
  cursorsDir: string;
  /** One to 64 of [a-z0-9-_], a letter or digit first. */
  name: string;
}

export interface Cursor {
  positions: Record<string, Positions>;
  /** Where a file that could not be read was moved to; reading then begins at the beginning. */
  setAside?: string;
}

const VERSION = 1;
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

interface CursorFile {
  version: number;
  oldest_reader: number;
  positions: Record<string, Positions>;
}

/** @throws CURSOR_NAME_INVALID, CURSOR_TOO_NEW */
export function readCursor(ref: CursorRef): Cursor {
  const path = cursorPath(ref);
  const text = readTextIfExists(path);
  if (text === undefined) return { positions: {} };
  const file = parseCursor(text);
  if (file === undefined) {
    const setAside = `${path}.corrupt`;
    renameSync(path, setAside);
    return { positions: {}, setAside };
  }
  if (file.oldest_reader > VERSION) {
    throw new WarrenError("CURSOR_TOO_NEW", `The cursor "${ref.name}" was written by a newer Warren (${path}).`, {
      fix: `rm ${quoteWord(path)}`,
    });
  }
  return { positions: file.positions };
}

/**
 * Sets the positions of the runs named in `positions`; those of other runs stay, as long as `exists` says that the run does.
 * @throws CURSOR_NAME_INVALID, CURSOR_TOO_NEW
 */
export function advanceCursor(
  ref: CursorRef,
  positions: Record<string, Positions>,
  exists: (runId: string) => boolean,
): void {
  const merged = { ...readCursor(ref).positions, ...positions };
  const alive = Object.fromEntries(Object.entries(merged).filter(([runId]) => exists(runId)));
  const file: CursorFile = { version: VERSION, oldest_reader: VERSION, positions: alive };
  makeDirectories(ref.cursorsDir, 0o700);
  writeFileAtomic(cursorPath(ref), `${JSON.stringify(file)}\n`);
}

/**
 * The positions after `item` was shown. The unfinished last line of a run that still goes on is not passed: it is shown again, whole, once it
 * is finished.
 */
export function positionsAfter(positions: Positions, item: LogItem, hasEnded: boolean): Positions {
  if (item.kind === "line") {
    const isFinished = item.complete || item.continues || hasEnded;
    return isFinished ? { ...positions, [item.stream]: endOfLine(item) } : positions;
  }
  if (item.stream === undefined || item.resumeBytes === undefined) return positions;
  return { ...positions, [item.stream]: item.resumeBytes };
}

function cursorPath({ cursorsDir, name }: CursorRef): string {
  if (NAME.test(name)) return join(cursorsDir, `${name}.json`);
  throw new WarrenError(
    "CURSOR_NAME_INVALID",
    `"${name}" is no name for a cursor: use up to 64 of a-z, 0-9, "-" and "_", a letter or digit first.`,
    { fix: "--cursor my-reader" },
  );
}

function parseCursor(text: string): CursorFile | undefined {
  let file: Partial<CursorFile> | null;
  try {
    file = JSON.parse(text) as Partial<CursorFile> | null;
  } catch {
    return undefined;
  }
  if (typeof file?.oldest_reader !== "number" || typeof file.positions !== "object" || file.positions === null) {
    return undefined;
  }
  // A newer file may hold other shapes; its number is all that is looked at.
  const isReadable = file.oldest_reader > VERSION || Object.values(file.positions).every(isPositions);
  return isReadable ? (file as CursorFile) : undefined;
}

const isPositions = (value: Partial<Positions> | null): boolean =>
  Number.isSafeInteger(value?.stdout) && Number.isSafeInteger(value?.stderr);
