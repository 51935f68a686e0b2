import * as z from "zod/mini";
import { shortText } from "../protocol/cut-text.ts";
import { jsonIn, utf8 } from "./bytes.ts";
import { formInvalid } from "./errors.ts";

/**
 * The text of a `state` record: one unit as a list shows it, as JSON. Its stream is `unit/<id>`. Unknown fields are kept, so that an older device can
 * show what a newer machine says.
 */
export const UnitRow = z.looseObject({
  id: z.string(),
  /** `job`, `session`, `agent`, `worker`. */
  kind: z.string(),
  name: z.string(),
  icon: z.optional(z.string()),
  /** CONTRACT §7's, or `gone`: there is no such unit any more. */
  state: z.string(),
  /** What it needs somebody for; absent where it does not. */
  asks: z.optional(z.string()),
  title: z.optional(z.string()),
  server: z.optional(z.string()),
  /** RFC 3339: when it was started, or ended. */
  since: z.optional(z.string()),
});
export type UnitRow = z.infer<typeof UnitRow>;

/** A row is for a list: longer texts are cut. */
const UNIT_ROW_BYTES_MAX = 2 * 1024;
const TEXT_LENGTHS = {
  id: 200,
  kind: 40,
  name: 200,
  icon: 16,
  state: 40,
  asks: 400,
  title: 200,
  server: 60,
  since: 40,
};

export const unitStream = (id: string): string => `unit/${id}`;

/** At most {@link UNIT_ROW_BYTES_MAX} bytes; fields that are not named here are left out. */
export function encodeUnitRow(row: UnitRow): Uint8Array {
  for (let share = 1; ; share /= 2) {
    const cut = Object.entries(TEXT_LENGTHS).flatMap(([name, length]) => {
      const text = row[name as keyof typeof TEXT_LENGTHS];
      return text === undefined ? [] : [[name, shortText(text, name === "id" ? length : Math.ceil(length * share))]];
    });
    const bytes = utf8(JSON.stringify(Object.fromEntries(cut)));
    if (bytes.length <= UNIT_ROW_BYTES_MAX || share < 0.01) return bytes;
  }
}

/** @throws FORM_INVALID, without a word of the text */
export function decodeUnitRow(text: Uint8Array): UnitRow {
  try {
    return UnitRow.parse(jsonIn(text));
  } catch {
    throw formInvalid("unit's row", "it is no JSON, or lacks a field");
  }
}
