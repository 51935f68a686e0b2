import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RECORD } from "../../src/protocol/journal-records.ts";
import type { Session } from "../../src/protocol/units.ts";
import { journalRecords } from "../../src/sessions/history/records.ts";
import type { TemporaryHome } from "./home.ts";

/** Terminals whose every byte is known beforehand: each counts, a checksum in every line, until SIGUSR1 ends it with this status. */
export const COUNTER_STATUS = 9;

const checksumOf = (n: number): number => (n * 7919) % 10007;

const COUNTER = `let n = 0;
const line = () => { n += 1; process.stdout.write("n=" + n + " c=" + ((n * 7919) % 10007) + "\\r\\n"); };
const timer = setInterval(line, Number(process.argv[2]) + (process.pid % 7));
process.on("SIGUSR1", () => { clearInterval(timer); process.stdout.write("last=" + n + "\\r\\n", () => process.exit(${COUNTER_STATUS})); });
`;

/** Started at a time: each is a Node of its own. */
const WAVE = 8;

/** @param lineMs from one line to the next, and up to 6 ms more */
export async function startCounters(
  house: TemporaryHome,
  count: number,
  { lineMs = 5 }: { lineMs?: number } = {},
): Promise<Session[]> {
  const file = join(house.dir, "counter.mjs");
  writeFileSync(file, COUNTER);
  const client = house.client();
  const request = {
    command: [process.execPath, file, String(lineMs)],
    workdir: house.dir,
    env: Object.entries(house.env).map(([key, value]) => `${key}=${value}`),
  };
  const sessions: Session[] = [];
  for (let at = 0; at < count; at += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, count - at) }, () => client.request("session.new", request));
    sessions.push(...(await Promise.all(wave)).map(({ session }) => session));
  }
  return sessions;
}

/** The lines follow each other from wherever this view of them begins: none is missing, doubled or wrong. The last number. */
export function checkCount(text: string, what: string): number {
  let previous: number | undefined;
  for (const [, number, checksum] of text.matchAll(/^n=(\d+) c=(\d+)\r$/gm)) {
    const n = Number(number);
    assert.equal(Number(checksum), checksumOf(n), `${what}: line ${n}`);
    if (previous !== undefined) assert.equal(n, previous + 1, `${what}: after ${previous}`);
    previous = n;
  }
  assert.equal(Number(/last=(\d+)/.exec(text)?.[1]), previous, `${what}: the last line`);
  return previous ?? 0;
}

/** Everything that it has ever written, from its journal, whose offsets must follow each other. */
export async function journalText(house: TemporaryHome, { id }: Session): Promise<string> {
  const parts: Buffer[] = [];
  let offset = 0;
  for await (const record of journalRecords(join(house.places.sessionsDir, id, "journal"))) {
    if (record.kind !== RECORD.output) continue;
    assert.equal(record.offset, offset, "offsets follow each other");
    offset += record.bytes.length;
    parts.push(Buffer.from(record.bytes));
  }
  return Buffer.concat(parts).toString("latin1");
}
