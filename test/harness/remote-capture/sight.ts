import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeFrame, type Frame, type FrameKind, HUB_TAKES } from "../../../src/sealing/frames.ts";
import { decodeRecord, RECORD_KINDS, type RecordKindName } from "../../../src/sealing/record.ts";
import type { Day } from "./day.ts";
import { COLUMNS, FRAME_FIELDS, HEADERS, HUB_SAYS, LOG_FIELDS, RECORD_FIELDS, RECORD_TEXTS } from "./sight-words.ts";
import type { Tapped } from "./tap.ts";

/**
 * What a hub could see of a day, as tables of Markdown: everything that crossed the tap, decoded by the formats that hub and clients use, its store's columns, and its
 * log's fields. A field that nobody has described fails the test, so that nothing new is in the clear without being told here.
 */
export function sightOf(day: Day): string {
  const { heard } = day.tap;
  return [
    "### On the wire",
    "",
    "| who says it | message | the hub sees | it does not see | bytes of a message that day |",
    "|---|---|---|---|---|",
    ...wireRows(heard),
    "",
    "### Of each record",
    "",
    "| field | what it is |",
    "|---|---|",
    ...Object.entries(RECORD_FIELDS).map(([name, text]) => `| ${name} | ${text} |`),
    "",
    "### With every connection",
    "",
    "| what | the hub sees |",
    "|---|---|",
    ...headerRows(heard),
    "",
    "### In its store",
    "",
    "| table | column | what it is |",
    "|---|---|---|",
    ...storeRows(join(day.hubHouse.places.hubDir, "hub.db")),
    "",
    "### In its log, at the level `debug`",
    "",
    "| event | fields |",
    "|---|---|",
    ...logRows(readFileSync(day.hubHouse.places.hubLog, "utf8")),
    "",
  ].join("\n");
}

/** Without what differs from day to day: how long it was, and what was not said at all. */
export const shapeOfSight = (text: string): string =>
  text.replace(/\| (?:[\d,]+(?:–[\d,]+)?|not that day) \|$/gm, "| … |");

/** By direction, message and kind of record: how long they were that day. */
type Sizes = Map<string, number[]>;

/** A row for each message that there is, by the formats; what was heard fills in how long it is. */
function wireRows(heard: readonly Tapped[]): string[] {
  const sizes = sizesOf(heard);
  const rows = MESSAGES.map((message) => {
    const name = nameOf(message);
    const row = rowOf(message, sizes.get(name));
    sizes.delete(name);
    return row;
  });
  assert.deepEqual([...sizes.keys()], [], "heard, and nobody may say it");
  return rows;
}

interface Message {
  direction: Tapped["direction"];
  kind: FrameKind;
  record: RecordKindName | "";
}

const nameOf = ({ direction, kind, record }: Message): string => `${direction} ${kind} ${record}`;

const KINDS = Object.keys(FRAME_FIELDS) as FrameKind[];
const RECORDS = Object.keys(RECORD_KINDS) as RecordKindName[];
const MESSAGES: readonly Message[] = (["to hub", "from hub"] as const)
  .flatMap((direction) => KINDS.map((kind) => ({ direction, kind })))
  .flatMap(({ direction, kind }) =>
    (kind === "put" || kind === "record" ? RECORDS : ([""] as const)).map((record) => ({ direction, kind, record })),
  )
  .filter((message) => sayersOf(message).length > 0);

function sayersOf({ direction, kind, record }: Message): string[] {
  if (direction === "from hub") return HUB_SAYS.includes(kind) ? ["hub"] : [];
  if (kind === "login") return ["machine", "device", "guest"];
  if (kind === "put") return [record === "request" ? "device" : "machine"];
  return (["machine", "device", "guest"] as const).filter((role) => HUB_TAKES[role].includes(kind));
}

function rowOf(message: Message, sizes?: number[]): string {
  const { kind, record } = message;
  const text = record === "" ? undefined : RECORD_TEXTS[record];
  const seen = [...Object.values(FRAME_FIELDS[kind]), ...(text ? ["the record's fields below", ...text.seen] : [])];
  const sealed = text?.sealed ?? (kind === "data" ? "what the channel carries (Noise)" : "");
  const name = record === "" ? `\`${kind}\`` : `\`${kind}\`, \`${record}\``;
  return `| ${sayersOf(message).join(", ")} | ${name} | ${seen.join("; ")} | ${sealed} | ${sizes ? range(sizes) : "not that day"} |`;
}

/** @throws where a message has a field of which nobody has said what it is */
function sizesOf(heard: readonly Tapped[]): Sizes {
  const sizes: Sizes = new Map();
  for (const { kind, direction, payload } of heard) {
    if (kind !== "message") continue;
    const frame = decodeFrame(payload);
    checkFields(frame);
    const record = frame.kind === "put" || frame.kind === "record" ? recordKindOf(frame.record) : "";
    const name = nameOf({ direction, kind: frame.kind, record });
    sizes.set(name, [...(sizes.get(name) ?? []), payload.length]);
  }
  return sizes;
}

function checkFields({ kind, ...fields }: Frame): void {
  for (const name of Object.keys(fields)) {
    const isText = (kind === "data" && name === "bytes") || name === "record";
    assert.ok(isText || FRAME_FIELDS[kind][name], `sight-words.ts does not say what \`${name}\` of \`${kind}\` is`);
  }
}

function recordKindOf(bytes: Uint8Array): RecordKindName {
  const { sealed: _sealed, bytes: _bytes, ...head } = decodeRecord(bytes);
  for (const name of Object.keys(head))
    assert.ok(RECORD_FIELDS[name], `sight-words.ts does not say what \`${name}\` of a record is`);
  return RECORDS.find((name) => RECORD_KINDS[name] === head.kind)!;
}

const range = (sizes: readonly number[]): string => {
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)].map((size) => size.toLocaleString("en"));
  return least === most ? `${least}` : `${least}–${most}`;
};

function headerRows(heard: readonly Tapped[]): string[] {
  const names = new Set<string>();
  for (const { kind, direction, payload } of heard) {
    if (kind !== "head" || direction !== "to hub") continue;
    const [request, ...lines] = Buffer.from(payload).toString("latin1").trim().split("\r\n");
    names.add(`\`${request!.replace(/ HTTP.*/, "")}\``);
    for (const line of lines) names.add(line.slice(0, line.indexOf(":")).toLowerCase());
  }
  for (const name of names)
    assert.ok(HEADERS[name] !== undefined, `sight-words.ts does not say what the header ${name} is`);
  const always = Object.entries(HEADERS).filter(([name]) => names.has(name) || name.startsWith("("));
  return always.map(([name, text]) => `| ${name} | ${text} |`);
}

function storeRows(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
    return tables.flatMap(({ name: table }) =>
      database
        .prepare(`select name from pragma_table_info('${table}')`)
        .all()
        .map(({ name }) => {
          const text = COLUMNS[`${table}.${name}`];
          assert.ok(text, `sight-words.ts does not say what the column ${table}.${name} is`);
          return `| ${table} | ${name} | ${text} |`;
        }),
    );
  } finally {
    database.close();
  }
}

function logRows(text: string): string[] {
  const events = new Map<string, Set<string>>();
  for (const line of text.trim().split("\n")) {
    const { event, ...fields } = JSON.parse(line) as { event: string };
    const known = events.get(event) ?? new Set();
    for (const name of Object.keys(fields)) known.add(name);
    events.set(event, known);
  }
  return [...events]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([event, names]) => {
      for (const name of names) assert.ok(LOG_FIELDS[name], `sight-words.ts does not say what ${name} of the log is`);
      return `| ${event} | ${[...names].map((name) => LOG_FIELDS[name]).join("; ")} |`;
    });
}
