/** Conditional requests and ranges of a file, by RFC 9110 §13 and §14. Pure. */

/** What tells one state of a file from another. Absent where the file is so young that it may change again and look the same. */
export interface Validators {
  etag: string | undefined;
  /** Seconds since 1970. */
  modifiedS: number | undefined;
}

/** Fields of a request by their names in lower case. */
export type FieldOf = (name: string) => string | undefined;

export type Verdict = "whole" | "not-modified" | "failed";

/** §13.2.2: in this order, the first that applies decides. */
export function evaluate(field: FieldOf, { etag, modifiedS }: Validators): Verdict {
  const ifMatch = field("if-match");
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, etag)) return "failed";
  } else {
    const notAfter = dateS(field("if-unmodified-since"));
    if (notAfter !== undefined && (modifiedS === undefined || modifiedS > notAfter)) return "failed";
  }
  const ifNoneMatch = field("if-none-match");
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, etag) ? "not-modified" : "whole";
  const since = dateS(field("if-modified-since"));
  return since !== undefined && modifiedS !== undefined && modifiedS <= since ? "not-modified" : "whole";
}

export interface ByteRange {
  start: number;
  /** Inclusive, as the field has it. */
  end: number;
}

/**
 * The one range that is asked for; undefined where the whole is answered (no range, several, one that is not understood, or another state of the file
 * was meant); "none" where nothing of it exists.
 */
export function rangeOf(field: FieldOf, sizeBytes: number, validators: Validators): ByteRange | "none" | undefined {
  const range = field("range");
  const match = range === undefined ? null : /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(range);
  if (match === null || !holds(field("if-range"), validators)) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "") {
    if (last === "") return undefined;
    const count = Math.min(Number(last), sizeBytes);
    return count === 0 ? "none" : { start: sizeBytes - count, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= sizeBytes ? "none" : { start, end };
}

/** §13.1.5: an entity tag, strongly, or the very date. */
function holds(ifRange: string | undefined, { etag, modifiedS }: Validators): boolean {
  if (ifRange === undefined) return true;
  if (/^(W\/)?"/.test(ifRange)) return etag !== undefined && ifRange === etag;
  return modifiedS !== undefined && dateS(ifRange) === modifiedS;
}

/** Ours are always strong, so a weak one never matches strongly. */
function matchesStrongly(list: string, etag: string | undefined): boolean {
  return list.trim() === "*" || (etag !== undefined && tagsOf(list).includes(etag));
}

function matchesWeakly(list: string, etag: string | undefined): boolean {
  return list.trim() === "*" || (etag !== undefined && tagsOf(list).some((tag) => tag === etag || tag === `W/${etag}`));
}

const tagsOf = (list: string): string[] => list.match(/(?:W\/)?"[^"]*"/g) ?? [];

/** Only the preferred form of a date (§5.6.7); others, which only old or odd clients send, are taken as absent. */
function dateS(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text))
    return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms / 1_000;
}

export const httpDate = (seconds: number): string => new Date(seconds * 1_000).toUTCString();
