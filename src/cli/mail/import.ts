import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Client } from "../../client/client.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { plural } from "../render/plural.ts";
import { openMail } from "./open-mail.ts";

/** A request with rows is no longer than this, but for a single row that is. */
const BATCH_BYTES = 256 * 1024;
const BATCH_ROWS = 500;

type Row = Record<string, unknown>;

export const import_ = defineCommand({
  usage: ["mail import FILE [--json]", "mail import -          (from standard input)"],
  details:
    "Takes up what `warren mail export` has written. What is there already is passed over, so it can be done twice, or again after it was broken off.",
  examples: [
    { command: "warren mail import mail.jsonl", does: "says how many were new" },
    { command: "warren mail export | ssh laptop warren mail import -", does: "to another machine" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["file"], min: 1 },
  async run(context, { values, operands }) {
    const [file = "-"] = operands;
    const client = openMail(context);
    const total = { imported: 0, skipped: 0 };
    for await (const rows of batches(file)) {
      const { imported, skipped } = await take(client, rows);
      total.imported += imported;
      total.skipped += skipped;
    }
    if (values.json) context.output.json(total);
    else context.output.line(`${plural(total.imported, "row")} taken up, ${total.skipped} known already`);
    return EXIT.ok;
  },
});

const take = (client: Client, rows: Row[]) => client.request("mail.import", { rows });

/** @throws IMPORT_UNREADABLE; of a line that is no row, when what is before it was given */
async function* batches(file: string): AsyncGenerator<Row[]> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let rows: Row[] = [];
  let bytes = 0;
  let lineNumber = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber += 1;
      if (line.trim() === "") continue;
      const row = rowOf(line);
      const isFull = bytes + line.length > BATCH_BYTES || rows.length >= BATCH_ROWS;
      if (rows.length > 0 && (isFull || row === undefined)) {
        yield rows;
        rows = [];
        bytes = 0;
      }
      if (row === undefined) throw noRow(file, lineNumber);
      rows.push(row);
      bytes += line.length;
    }
  } catch (error) {
    if (systemCode(error) === undefined || error instanceof WarrenError) throw error;
    throw unreadable(file, error);
  }
  if (rows.length > 0) yield rows;
}

const unreadable = (file: string, error: unknown): WarrenError =>
  systemCode(error) === "ENOENT"
    ? new WarrenError("IMPORT_UNREADABLE", `${file} does not exist.`, {
        fix: "warren mail export > mail.jsonl      # makes such a file, of this mailbox",
        cause: error,
      })
    : new WarrenError("IMPORT_UNREADABLE", `${file} cannot be read: ${messageOf(error)}.`, { cause: error });

function rowOf(line: string): Row | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const noRow = (file: string, lineNumber: number): WarrenError =>
  new WarrenError(
    "IMPORT_UNREADABLE",
    `Line ${lineNumber} of ${file} is no JSON object; what was before it is taken up.`,
    {
      fix: "warren mail export > mail.jsonl      # what can be taken up looks like this",
    },
  );
