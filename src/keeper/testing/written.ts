import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  decodeRecord,
  INPUT_SOURCE_BYTES,
  type JournalRecord,
  RECORD,
  segmentName,
  segmentNumbers,
} from "../../protocol/journal-records.ts";

/** For tests: what a journal says, every record of it looked at. */
export interface Written {
  segments: number[];
  records: JournalRecord[];
  /** Where the output begins that the journal still has. */
  outputFrom: number;
  output: Buffer;
  input: Buffer;
  errors: Buffer;
  /** Bytes behind the last whole record of the last segment. */
  tornBytes: number;
}

/** @throws when a record in the middle is none, or an offset is not the sum of what came before it */
export function readWritten(directory: string): Written {
  const segments = segmentNumbers(readdirSync(directory));
  const records: JournalRecord[] = [];
  let tornBytes = 0;
  for (const segment of segments) {
    const bytes = readFileSync(join(directory, segmentName(segment)));
    let at = 0;
    while (at < bytes.length) {
      const decoded = decodeRecord(bytes, at);
      if (typeof decoded === "string") break;
      if (at === 0 && decoded.record.kind !== RECORD.size) throw new Error(`segment ${segment} begins with no size`);
      records.push(decoded.record);
      at = decoded.end;
    }
    tornBytes = bytes.length - at;
    if (tornBytes > 0 && segment !== segments.at(-1)) throw new Error(`segment ${segment} is torn at ${at}`);
  }
  checkOffsets(records);
  const bytesOf = (kind: number): Buffer =>
    Buffer.concat(records.filter((record) => record.kind === kind).map(({ bytes }) => bytes));
  const inputs = records.filter(({ kind }) => kind === RECORD.input);
  return {
    segments,
    records,
    outputFrom: records[0]?.offset ?? 0,
    output: bytesOf(RECORD.output),
    input: Buffer.concat(inputs.map(({ bytes }) => bytes.subarray(INPUT_SOURCE_BYTES))),
    errors: bytesOf(RECORD.errors),
    tornBytes,
  };
}

function checkOffsets(records: readonly JournalRecord[]): void {
  let output = records[0]?.offset ?? 0;
  let input: number | undefined;
  for (const { kind, offset, bytes } of records) {
    const expected = kind === RECORD.input ? (input ?? offset) : output;
    if (offset !== expected) throw new Error(`a record of kind ${kind} at ${offset} instead of ${expected}`);
    if (kind === RECORD.output) output += bytes.length;
    if (kind === RECORD.input) input = offset + bytes.length - INPUT_SOURCE_BYTES;
  }
}
