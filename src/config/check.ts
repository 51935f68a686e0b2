import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from "yaml";
import { suggest } from "../protocol/suggest.ts";
import { aliasesOf } from "./aliases.ts";
import { type Field, type MapField, phraseOf, type RecordField, type ValueOf } from "./field.ts";
import { byPosition, type Problem } from "./problems.ts";
import { accepts, asWritten, convert, show, suggestValue } from "./scalar.ts";

/**
 * Reads a YAML 1.2 text against a table of fields and finds every problem in one pass, each with its place in the text.
 *
 * - A text that is not YAML is reported by its syntax errors alone: what stands in it is not known.
 * - Anchors and aliases may be used; merge keys (`<<`) are an unknown key, since YAML 1.2 has none. What aliases stand for is bounded, so that a short text
 *   cannot stand for a billion values.
 * - An entry with a problem is left out of `value`, so that checks across entries can go on; `value` is whole only without problems.
 */
export interface Checked<T> {
  /** Undefined when the text is not YAML or not a map; null values of maps and lists are empty ones. */
  value: T | undefined;
  problems: Problem[];
  /** Adds a problem at a path (`jobs.web.after[0]`), or at the nearest path above it that is known. */
  report(path: string, message: string, suggestion?: string): void;
}

export function checkYaml<F extends RecordField>(text: string, file: string, root: F): Checked<ValueOf<F>> {
  const lines = new LineCounter();
  // Duplicate keys are found below, where their path is known.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const checker = new Checker(document, lines, file);
  for (const flaw of [...document.errors, ...document.warnings]) checker.syntax(flaw.pos[0], flaw.message);
  const value = checker.problems.length > 0 ? undefined : checker.check(root, document.contents, "", 0);
  checker.problems.sort(byPosition);
  return {
    // The table's type says what the checker returns for it; tests hold them together.
    value: value === INVALID ? undefined : (value as never),
    problems: checker.problems,
    report: (path, message, suggestion) => {
      checker.report(checker.offsetOf(path), path, message, suggestion);
      checker.problems.sort(byPosition);
    },
  };
}

const INVALID = Symbol("invalid");

/** Values and keys behind aliases, counted each time that one is followed; past it that is a problem, and nothing more behind them is looked at. */
const ALIASED_VALUES_MAX = 20_000;

class Checker {
  readonly problems: Problem[] = [];
  #aliases: ReadonlyMap<unknown, unknown> | undefined;
  #aliasDepth = 0;
  #aliasedCount = 0;
  readonly #offsets = new Map<string, number>();
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;

  constructor(document: Document, lines: LineCounter, file: string) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
  }

  report(offset: number, field: string, message: string, suggestion?: string): typeof INVALID {
    const { line, col } = this.#lines.linePos(offset);
    const place = { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
    this.problems.push({ ...place, field, message, ...(suggestion !== undefined && { suggestion }) });
    return INVALID;
  }

  syntax(offset: number, message: string): void {
    const tabs = message.startsWith("Tabs are not allowed");
    const several = message.includes("multiple documents");
    if (several) this.report(offset, "", "holds several documents (---); one is read");
    else this.report(offset, "", `is not YAML: ${message}`, tabs ? "indent with spaces" : undefined);
  }

  offsetOf(path: string): number {
    for (let known = path; known !== ""; known = known.replace(/(\.[^.[]*|\[\d+\])$|^[^.[]*$/, "")) {
      const offset = this.#offsets.get(known);
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  /** @param offset where a problem is placed when the node has no place of its own */
  check(field: Field, written: unknown, path: string, offset: number): unknown {
    const at = startOf(written) ?? offset;
    this.#offsets.set(path, at);
    if (!isAlias(written)) return this.#checkNode(field, written, path, at);
    this.#aliases ??= aliasesOf(this.#document);
    const node = this.#aliases.get(written);
    if (node === undefined) return this.report(at, path, `*${written.source} names no anchor above it`);
    this.#aliasDepth++;
    const value = this.#checkNode(field, node, path, at);
    this.#aliasDepth--;
    return value;
  }

  #checkNode(field: Field, node: unknown, path: string, at: number): unknown {
    if (this.#isTooMuch(path, at)) return INVALID;
    const form = field.kind === "either" ? field.forms.find((candidate) => accepts(candidate, node)) : field;
    if (form === undefined || !accepts(form, node)) return this.#refuse(field, node, path, at);
    switch (form.kind) {
      case "record":
        return this.#checkRecord(form, node, path, at);
      case "map":
        return this.#checkMap(form, node, path);
      case "list": {
        const items = isSeq(node) ? node.items : [];
        if (items.length < (form.minItems ?? 0)) return this.report(at, path, "must not be empty");
        return items
          .map((item, index) => this.check(form.item, item, `${path}[${index}]`, at))
          .filter((item) => item !== INVALID);
      }
      default:
        return this.#checkScalar(form, field, node, path, at);
    }
  }

  #isTooMuch(path: string, at: number): boolean {
    if (this.#aliasDepth > 0) this.#aliasedCount++;
    if (this.#aliasDepth === 0 || this.#aliasedCount < ALIASED_VALUES_MAX) return false;
    if (this.#aliasedCount === ALIASED_VALUES_MAX)
      this.report(at, path, `its aliases stand for more than ${ALIASED_VALUES_MAX} values`);
    return true;
  }

  #checkRecord(field: RecordField, node: unknown, path: string, at: number): unknown {
    const value: Record<string, unknown> = {};
    const seen = new Set<string>();
    const misspelt = new Set<string>();
    for (const { key, pair, keyOffset } of this.#entries(node, path)) {
      seen.add(key);
      const known = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
      const keyPath = join(path, key);
      if (known === undefined) {
        const meant = suggestKey(field, key);
        this.report(keyOffset, keyPath, `there is no key "${key}" here`, didYouMean(meant));
        // A misspelt key is one problem, not also a missing one.
        if (meant !== undefined) misspelt.add(meant);
        continue;
      }
      const checked = this.check(known, pair.value, keyPath, keyOffset);
      if (checked !== INVALID) value[key] = checked;
    }
    const missing = (field.required ?? []).filter((key) => !seen.has(key) && !misspelt.has(key));
    for (const key of missing) this.report(at, path, `"${key}" is missing`);
    this.#checkGroups(field, seen, path, at);
    return value;
  }

  #checkGroups({ exactlyOne = [], atMostOne = [] }: RecordField, seen: Set<string>, path: string, at: number): void {
    const quoted = (keys: readonly string[]) => keys.map((key) => `"${key}"`).join(", ");
    const one = exactlyOne.filter((key) => seen.has(key));
    if (exactlyOne.length > 0 && one.length === 0) this.report(at, path, `needs one of ${quoted(exactlyOne)}`);
    if (one.length > 1) this.report(at, path, `has ${quoted(one)}, of which only one can hold`);
    const same = atMostOne.filter((key) => seen.has(key));
    if (same.length > 1) this.report(at, path, `has ${quoted(same)}, which mean the same; keep one`);
  }

  #checkMap(field: MapField, node: unknown, path: string): unknown {
    const value = new Map<string, unknown>();
    for (const { key, pair, keyOffset } of this.#entries(node, path)) {
      const keyPath = join(path, key);
      if (!new RegExp(field.keyPattern).test(key)) {
        const nearest = key.toLowerCase().replaceAll(/[ _.:]/g, "-");
        const meant = new RegExp(field.keyPattern).test(nearest) ? nearest : undefined;
        this.report(keyOffset, keyPath, `"${key}" is not ${field.keyExpected}`, didYouMean(meant));
        continue;
      }
      const checked = this.check(field.value, pair.value, keyPath, keyOffset);
      if (checked !== INVALID) value.set(key, checked);
    }
    return value;
  }

  /** The entries of a map, without those whose key is not a word or stands there a second time (reported). */
  *#entries(node: unknown, path: string): Generator<{ key: string; pair: Pair; keyOffset: number }> {
    const seen = new Set<string>();
    for (const pair of isMap(node) ? node.items : []) {
      const keyOffset = startOf(pair.key) ?? 0;
      if (this.#isTooMuch(path, keyOffset)) return;
      if (!isScalar(pair.key)) {
        this.report(keyOffset, path, "a key must be a word, not a list, a map or an alias");
        continue;
      }
      const key = asWritten(pair.key);
      if (seen.has(key)) this.report(keyOffset, join(path, key), `"${key}" stands here twice`);
      else yield { key, pair, keyOffset };
      seen.add(key);
    }
  }

  /** @param field what may stand there, for the message; @param form the one of its forms that is written */
  #checkScalar(form: Field, field: Field, node: unknown, path: string, at: number): unknown {
    const scalar = isScalar(node) ? node.value : null;
    if (typeof scalar === "string" && scalar.includes("\0")) {
      return this.report(at, path, "must not hold a NUL character");
    }
    const value = convert(form, node);
    if (value === undefined) return this.#refuse(field, node, path, at);
    return value;
  }

  #refuse(field: Field, node: unknown, path: string, at: number): typeof INVALID {
    const meant = isScalar(node) ? suggestValue(field, asWritten(node)) : undefined;
    return this.report(at, path, `must be ${phraseOf(field)}, not ${show(node)}`, didYouMean(meant));
  }
}

function suggestKey(field: RecordField, key: string): string | undefined {
  const normal = key.toLowerCase().replaceAll("-", "_");
  return field.foreign?.[normal] ?? suggest(normal, Object.keys(field.fields));
}

const didYouMean = (word: string | undefined): string | undefined =>
  word === undefined ? undefined : `did you mean "${word}"?`;

function startOf(node: unknown): number | undefined {
  const range = node !== null && typeof node === "object" && "range" in node ? node.range : undefined;
  return Array.isArray(range) && typeof range[0] === "number" ? range[0] : undefined;
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
