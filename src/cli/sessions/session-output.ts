import { type JournalRecord, RECORD } from "../../protocol/journal-records.ts";
import type { Session } from "../../protocol/units.ts";
import { castLines } from "../../sessions/history/cast.ts";
import { PlainLines } from "../../sessions/history/plain-lines.ts";
import type { SessionHandle } from "./session-client.ts";
import type { SessionJournal } from "./session-journal.ts";

/** What sessions have shown, out of their journals. */

/** As lines of text, all that are kept or the last `count`. */
export async function* historyLines(journal: SessionJournal, count?: number): AsyncIterableIterator<string> {
  if (count === undefined) {
    yield* plainLines(journal.records());
    return;
  }
  yield* tailOf(journal.last ? await linesAtEnd(journal, count) : await lastLines(journal.records(), count), count);
}

/** What is asked for first of a journal that is far away: some thousand lines. */
const END_BYTES = 256 * 1024;

/**
 * More is asked for while there are fewer lines than `count`. What a full-screen program drew is left out where its beginning or its end is in what came: one that has written more
 * than that shows.
 */
async function linesAtEnd(journal: SessionJournal, count: number): Promise<string[]> {
  for (let asked = Math.max(END_BYTES, count * 80); ; asked *= 4) {
    let came = 0;
    const plain = new PlainLines();
    const lines: string[] = [];
    for await (const bytes of outputOf(journal.last!(asked))) {
      came += bytes.length;
      lines.push(...plain.push(bytes));
    }
    lines.push(...plain.rest());
    if (came < asked) return lines;
    // Before the end of a full-screen program whose beginning is not there, all is its drawing.
    const whole = lines.slice(Math.max(1, plain.drawnLineCount));
    if (whole.length >= count) return whole;
  }
}

async function lastLines(records: AsyncIterable<JournalRecord>, count: number): Promise<string[]> {
  const last: string[] = [];
  for await (const line of plainLines(records)) {
    last.push(line);
    if (last.length > count * 2 + 1000) last.splice(0, last.length - count);
  }
  return last;
}

/** What the screen of a live one shows now, its last lines: of another machine's, whose whole journal would have to come for them. */
export async function screenLines({ client, id }: SessionHandle, count: number): Promise<string[]> {
  if (count === 0) return [];
  const { lines } = await client.request("session.screen", { session: id });
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1).slice(-count);
}

/** Byte for byte. */
export async function* rawHistory(journal: SessionJournal): AsyncIterableIterator<Uint8Array> {
  // The stream that it is written to may keep it for a while.
  for await (const bytes of outputOf(journal.records())) yield new Uint8Array(bytes);
}

/** As an asciinema recording. */
export const castOf = (
  journal: SessionJournal,
  { title, command }: Session,
  options: { idleMaxMs: number },
): AsyncIterable<string> =>
  castLines(journal.records(), { title, command: command.join(" "), env: { TERM: "xterm-256color" } }, options);

/** The lines that come from now on, after the last `tail` ones, until the program has ended or `signal` aborts. */
export async function* followLines(
  journal: SessionJournal,
  { tail, signal }: { tail: number; signal: AbortSignal },
): AsyncIterableIterator<string> {
  const plain = new PlainLines();
  let before: string[] | undefined = [];
  let isOver = false;
  for await (const records of journal.follow(signal)) {
    for (const { kind, bytes } of records) {
      const lines = kind === RECORD.output ? plain.push(bytes) : [];
      if (before) before.push(...lines);
      else yield* lines;
      isOver = kind === RECORD.end; // unless a resume follows
    }
    if (records.length > 0) continue;
    if (before) yield* tailOf(before, tail);
    before = undefined;
    if (!isOver) continue;
    yield* plain.rest();
    return;
  }
}

const tailOf = (lines: readonly string[], count: number): readonly string[] => (count === 0 ? [] : lines.slice(-count));

async function* plainLines(records: AsyncIterable<JournalRecord>): AsyncIterableIterator<string> {
  const plain = new PlainLines();
  for await (const bytes of outputOf(records)) yield* plain.push(bytes);
  yield* plain.rest();
}

async function* outputOf(records: AsyncIterable<JournalRecord>): AsyncIterableIterator<Uint8Array> {
  for await (const { kind, bytes } of records) if (kind === RECORD.output) yield bytes;
}
