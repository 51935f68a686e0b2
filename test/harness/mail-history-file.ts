import { appendFileSync, readFileSync } from "node:fs";
import type { HistoryLine } from "./mail-history.ts";

/** What one participant writes down, line by line before and after each request, so that its own death leaves what it has asked. */
type Unsigned<L> = L extends { by: string } ? Omit<L, "by" | "atMs"> : never;

export type Entry = Unsigned<HistoryLine>;

export class HistoryFile {
  readonly #path: string;
  readonly #by: string;

  constructor(path: string, by: string) {
    this.#path = path;
    this.#by = by;
  }

  write(entry: Entry): void {
    appendFileSync(this.#path, `${JSON.stringify({ ...entry, by: this.#by, atMs: monotonicMs() })}\n`);
  }
}

/** A last line that was cut by the writer's death is passed over. */
export const readHistory = (path: string): HistoryLine[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as HistoryLine);

/** CLOCK_MONOTONIC, which is the same in all processes of a machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
