import { watch } from "node:fs";
import { join } from "node:path";
import type { Places } from "../../platform/paths.ts";
import { RECORD } from "../../protocol/journal-records.ts";
import type { Session } from "../../protocol/units.ts";
import { castLines } from "../../sessions/history/cast.ts";
import { PlainLines } from "../../sessions/history/plain-lines.ts";
import { journalRecords, recordsAfter } from "../../sessions/history/records.ts";
import { type JournalPosition, JournalReader } from "../../sessions/journal/journal-reader.ts";
import type { SessionHandle } from "./session-client.ts";

/** What sessions have shown, read from their journals by this very process, as the logs of jobs are. */
const journalDirOf = ({ sessionsDir }: Places, id: string): string => join(sessionsDir, id, "journal");

/** As lines of text, all that are kept or the last `count`. */
export async function* historyLines(places: Places, id: string, count?: number): AsyncIterableIterator<string> {
  if (count === undefined) {
    yield* plainLines(places, id);
    return;
  }
  const last: string[] = [];
  for await (const line of plainLines(places, id)) {
    last.push(line);
    if (last.length > count * 2 + 1000) last.splice(0, last.length - count);
  }
  yield* count === 0 ? [] : last.slice(-count);
}

/** What the screen of a live one shows now, its last lines: for another machine's, whose journal is not here. */
export async function screenLines({ client, id }: SessionHandle, count: number): Promise<string[]> {
  if (count === 0) return [];
  const { lines } = await client.request("session.screen", { session: id });
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1).slice(-count);
}

/** Byte for byte. */
export async function* rawHistory(places: Places, id: string): AsyncIterableIterator<Uint8Array> {
  for await (const { kind, bytes } of journalRecords(journalDirOf(places, id))) {
    if (kind === RECORD.output) yield new Uint8Array(bytes); // the stream that it is written to may keep it for a while
  }
}

/** As an asciinema recording. */
export const castOf = (
  places: Places,
  { id, title, command }: Session,
  options: { idleMaxMs: number },
): AsyncIterable<string> =>
  castLines(
    journalRecords(journalDirOf(places, id)),
    { title, command: command.join(" "), env: { TERM: "xterm-256color" } },
    options,
  );

/**
 * The lines that come from now on, after the last `tail` ones, until the program has ended or `signal` aborts. The kernel says when the journal has
 * grown.
 */
export async function* followLines(
  places: Places,
  id: string,
  { tail, signal }: { tail: number; signal: AbortSignal },
): AsyncIterableIterator<string> {
  const dir = journalDirOf(places, id);
  const bell = new Bell();
  const reader = new JournalReader(dir);
  const watcher = watch(dir, () => bell.ring());
  const onAbort = (): void => bell.ring();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let position: JournalPosition | undefined;
    const plain = new PlainLines();
    let before: string[] | undefined = [];
    let isOver = false;
    while (!signal.aborted) {
      const rung = bell.next();
      for await (const { records, position: behind } of recordsAfter(reader, position)) {
        position = behind;
        for (const { kind, bytes } of records) {
          const lines = kind === RECORD.output ? plain.push(bytes) : [];
          if (before) before.push(...lines);
          else yield* lines;
          isOver = kind === RECORD.end; // unless a resume follows
        }
      }
      if (before) yield* tailOf(before, tail);
      before = undefined;
      if (isOver) {
        yield* plain.rest();
        return;
      }
      await rung;
    }
  } finally {
    watcher.close();
    await reader.close();
    signal.removeEventListener("abort", onAbort);
  }
}

const tailOf = (lines: readonly string[], count: number): readonly string[] => (count === 0 ? [] : lines.slice(-count));

async function* plainLines(places: Places, id: string): AsyncIterableIterator<string> {
  const plain = new PlainLines();
  for await (const bytes of rawHistory(places, id)) yield* plain.push(bytes);
  yield* plain.rest();
}

/** Rings that come while nobody waits are one. */
class Bell {
  #wake = Promise.withResolvers<void>();

  next(): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    return this.#wake.promise;
  }

  ring(): void {
    this.#wake.resolve();
  }
}
