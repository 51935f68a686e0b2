import { isMap, isScalar, isSeq } from "yaml";
import { cutText } from "../protocol/cut-text.ts";
import { parseBytes, parseDuration } from "../protocol/durations.ts";
import { suggest } from "../protocol/suggest.ts";
import type { Field } from "./field.ts";

/** One YAML node against one field: has it the form, what is its value, what may have been meant, and how is it shown in a message. */

/** setTimeout fires at once beyond 2^31 − 1 ms, so longer durations are refused. */
const DURATION_MS_MAX = 24 * 24 * 3_600_000;
/** A longer value is cut where a message quotes it. */
const SHOWN_CHARACTERS_MAX = 60;

/** Whether the node has the field's form; its content is checked by `convert`. */
export function accepts(field: Field, node: unknown): boolean {
  const scalar = isScalar(node) ? node.value : node === null || node === undefined ? null : undefined;
  switch (field.kind) {
    case "record":
    case "map":
      return isMap(node) || scalar === null;
    case "list":
      return isSeq(node) || scalar === null;
    case "nothing":
      return scalar === null;
    case "any":
      return true;
    case "text":
    case "choice":
      return typeof scalar === "string";
    case "flag":
      return typeof scalar === "boolean";
    case "yes":
      return scalar === true;
    case "whole":
      return typeof scalar === "number";
    case "scalar":
      return scalar !== null && scalar !== undefined;
    case "duration":
    case "size":
      return typeof scalar === "string" || typeof scalar === "number";
    case "either":
      return field.forms.some((form) => accepts(form, node));
  }
}

/** The value of a scalar that the field accepts by its form, or undefined when its content is wrong. */
export function convert(field: Field, node: unknown): unknown {
  const scalar: unknown = isScalar(node) ? node.value : null;
  switch (field.kind) {
    case "scalar":
      return asWritten(node);
    case "text":
      return matchesText(field, String(scalar)) ? scalar : undefined;
    case "choice":
      return field.choices.includes(String(scalar)) ? scalar : undefined;
    case "whole":
      return Number.isInteger(scalar) && Number(scalar) >= field.min && Number(scalar) <= field.max
        ? scalar
        : undefined;
    case "duration": {
      const ms = parseDuration(String(scalar));
      return ms !== undefined && ms >= (field.minMs ?? 0) && ms <= DURATION_MS_MAX ? ms : undefined;
    }
    case "size":
      return parseBytes(String(scalar));
    default:
      return scalar;
  }
}

function matchesText({ pattern, format }: { pattern?: string; format?: "regex" }, text: string): boolean {
  if (text === "" || (pattern !== undefined && !new RegExp(pattern).test(text))) return false;
  if (format !== "regex") return true;
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** YAML 1.1 read yes, no, on and off as booleans; 1.2 does not. */
const BOOLEAN_HABITS: ReadonlyMap<string, string> = new Map([
  ["yes", "true"],
  ["on", "true"],
  ["no", "false"],
  ["off", "false"],
]);

export function suggestValue(field: Field, text: string): string | undefined {
  if (field.kind === "either") return field.forms.map((form) => suggestValue(form, text)).find((found) => found);
  if (field.kind === "choice")
    return text === "false" && field.choices.includes("no") ? "no" : suggest(text, field.choices);
  return field.kind === "flag" || field.kind === "yes" ? BOOLEAN_HABITS.get(text.toLowerCase()) : undefined;
}

/** The text of a scalar as its author wrote it: `0123` and `1.10` are not numbers to us. */
export function asWritten(node: unknown): string {
  if (!isScalar(node)) return "";
  return node.type === "PLAIN" && node.source !== undefined ? node.source : String(node.value);
}

export function show(node: unknown): string {
  if (isMap(node)) return "a map";
  if (isSeq(node)) return "a list";
  if (!isScalar(node) || node.value === null) return "nothing";
  const text = asWritten(node);
  const short = text.length > SHOWN_CHARACTERS_MAX ? `${cutText(text, SHOWN_CHARACTERS_MAX)}…` : text;
  return typeof node.value === "string" ? JSON.stringify(short) : short;
}
