import type { Stats } from "node:fs";
import type { GatewayMode } from "../../protocol/front-messages.ts";
import type { HeadField } from "../proxy/responder.ts";
import { cacheControlOf } from "./caching.ts";
import { evaluate, type FieldOf, httpDate, rangeOf, type Validators } from "./conditions.ts";
import { contentTypeOf } from "./content-type.ts";

/** What is answered for a file, decided before any of it is read. Pure. */
export interface FileAnswer {
  status: 200 | 206 | 304 | 412 | 416;
  headers: HeadField[];
  /** Of the body, of HEAD's too; undefined: such an answer has none. */
  lengthBytes: number | undefined;
  /** The bytes of the file that are sent, unless it is HEAD. */
  part: { start: number; lengthBytes: number } | undefined;
}

export interface FileRequest {
  /** GET or HEAD. */
  method: string;
  field: FieldOf;
  fileName: string;
  stats: Pick<Stats, "size" | "mtimeMs" | "ino">;
  mode: GatewayMode;
  nowMs: number;
  /** Bytes that are put into the document on its way: then it is not the file, and has neither its validators nor ranges. */
  addedBytes: number;
}

/**
 * A file that changes twice within a tick of the kernel's clock (10 ms at most) and keeps its size looks the same. While that can be so, it has no entity tag:
 * a browser that had the first content would keep it.
 */
const YOUNG_MS = 50;

export function answerFile(request: FileRequest): FileAnswer {
  const { method, field, fileName, stats, mode, addedBytes } = request;
  const validators: Validators = addedBytes > 0 ? { etag: undefined, modifiedS: undefined } : validatorsOf(request);
  const headers: HeadField[] = [];
  if (validators.etag !== undefined) headers.push(["etag", validators.etag]);
  if (validators.modifiedS !== undefined) headers.push(["last-modified", httpDate(validators.modifiedS)]);
  headers.push(["cache-control", addedBytes > 0 ? "no-store" : cacheControlOf(fileName, mode)]);

  const verdict = evaluate(field, validators);
  if (verdict === "not-modified") return { status: 304, headers, lengthBytes: undefined, part: undefined };
  if (verdict === "failed") return { status: 412, headers: [], lengthBytes: 0, part: undefined };

  headers.push(["content-type", contentTypeOf(fileName)], ["x-content-type-options", "nosniff"]);
  const range = method === "GET" && addedBytes === 0 ? rangeOf(field, stats.size, validators) : undefined;
  if (range === "none") return unsatisfiable(stats.size);
  if (range !== undefined) {
    const lengthBytes = range.end - range.start + 1;
    headers.push(["content-range", `bytes ${range.start}-${range.end}/${stats.size}`]);
    return { status: 206, headers, lengthBytes, part: { start: range.start, lengthBytes } };
  }
  headers.push(["accept-ranges", addedBytes > 0 ? "none" : "bytes"]);
  const whole = { start: 0, lengthBytes: stats.size };
  return { status: 200, headers, lengthBytes: stats.size + addedBytes, part: whole };
}

const unsatisfiable = (sizeBytes: number): FileAnswer => ({
  status: 416,
  headers: [["content-range", `bytes */${sizeBytes}`]],
  lengthBytes: 0,
  part: undefined,
});

/** From the file's number, size and time in microseconds; a date only once its second is over (RFC 9110 §8.8.2.2). */
function validatorsOf({ stats: { ino, size, mtimeMs }, nowMs }: FileRequest): Validators {
  const isYoung = Math.abs(nowMs - mtimeMs) < YOUNG_MS;
  const tag = [ino, size, Math.round(mtimeMs * 1_000)].map((number) => number.toString(36)).join("-");
  const modifiedS = Math.floor(mtimeMs / 1_000);
  return { etag: isYoung ? undefined : `"${tag}"`, modifiedS: nowMs - mtimeMs > 1_000 ? modifiedS : undefined };
}
