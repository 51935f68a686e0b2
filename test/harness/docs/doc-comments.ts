import { readFileSync } from "node:fs";

/**
 * What the comments of a schema's source say, by what they stand before. The schemas themselves carry no words; a reader of the reference should have
 * those that a reader of the code has.
 */
export interface DocComments {
  /** Of a message or a named shape, and of what is spread into it. */
  of(owner: string): string | undefined;
  /** Of a field, where it is written or where it is spread from. */
  ofField(owner: string, field: string): string | undefined;
}

interface Found {
  said: Map<string, string[]>;
  spreads: Map<string, Set<string>>;
}

const DECLARED = /^(?:export )?const (\w+)/;
const MESSAGE = /^ {2}"?([\w.]+)"?: message\(/;
const FIELD = /^\s*"?([\w.]+)"?:/;
const SPREAD = /\.\.\.(\w+)/g;
/** A message's scope, payload and answer, where each begins a line. */
const ARGUMENT = /^ {4}[^\s/*)}\]]/;
/** A form of a union, where it begins. */
const FORM = /^ {2}[^\s/*)}\]]/;
/** The owner of a form's fields: another form may have others of the same name. */
export const formOf = (name: string, index: number): string => `${name} #${index}`;
/** The owner of an answer's fields: a payload may have others of the same name. */
export const answerOf = (type: string): string => `${type} →`;

export function docCommentsOf(files: readonly string[]): DocComments {
  const said = new Map<string, string[]>();
  const spreads = new Map<string, Set<string>>();
  for (const file of files) readComments(readFileSync(file, "utf8"), { said, spreads });
  const text = (key: string) => said.get(key)?.join(" ");
  const ofField = (owner: string, field: string): string | undefined =>
    text(`${owner}.${field}`) ??
    [...(spreads.get(owner) ?? [])].map((from) => ofField(from, field)).find((found) => found !== undefined);
  const of = (owner: string): string | undefined =>
    [text(owner), ...[...(spreads.get(owner) ?? [])].map(of)].filter((found) => found !== undefined).join(" ") ||
    undefined;
  return { of, ofField };
}

function readComments(source: string, { said, spreads }: Found): void {
  const place = new Place();
  let comment: string[] | undefined;
  let isInside = false;
  for (const line of source.split("\n")) {
    const begun = /^\s*\/\*\*\s?(.*)$/.exec(line);
    if (begun || isInside) {
      const body = (begun ? begun[1]! : line.replace(/^\s*\*\/?\s?/, "")).replace(/\s*\*\/\s*$/, "");
      comment = [...(begun || !comment ? [] : comment), ...(body === "" ? [] : [body])];
      isInside = !line.includes("*/");
      continue;
    }
    const owner = place.at(line);
    for (const [, from] of line.matchAll(SPREAD)) spreads.set(owner, (spreads.get(owner) ?? new Set()).add(from!));
    const words = comment?.join(" ");
    comment = undefined;
    if (words === undefined || line.trim() === "") continue;
    const field = place.isHead ? undefined : FIELD.exec(line)?.[1];
    const key = field === undefined ? owner.replace(/ →$/, "") : `${owner}.${field}`;
    said.set(key, [...(said.get(key) ?? []), words]);
  }
}

/** Whose line it is that is read. */
class Place {
  /** The line begins a message or a shape. */
  isHead = false;
  #name = "";
  #kind: "message" | "union" | "shape" = "shape";
  /** Of a message's arguments, of a union's forms. */
  #part = 0;

  at(line: string): string {
    const message = MESSAGE.exec(line)?.[1];
    const named = message ?? DECLARED.exec(line)?.[1];
    this.isHead = named !== undefined;
    if (named !== undefined) {
      this.#name = named;
      this.#kind = message !== undefined ? "message" : /[uU]nion\(/.test(line) ? "union" : "shape";
      this.#part = 0;
    } else if ((this.#kind === "message" ? ARGUMENT : FORM).test(line)) this.#part++;
    if (this.#kind === "union" && this.#part > 0) return formOf(this.#name, this.#part - 1);
    return this.#kind === "message" && this.#part >= 3 ? answerOf(this.#name) : this.#name;
  }
}
