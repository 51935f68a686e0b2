import { graphemes, takeStart, widthOf } from "../text/width.ts";
import type { TextInput } from "./model.ts";

/** One line of text being typed. */

/** Graphemes; what is typed or pasted past it is left out. */
export const INPUT_CHARACTERS_MAX = 256;

export const emptyInput = (text = ""): TextInput => ({ text, cursor: text.length });

export function insert(input: TextInput, typed: string, charactersMax = INPUT_CHARACTERS_MAX): TextInput {
  const clean = typed.replace(/[\x00-\x1f\x7f]+/g, " ");
  const room = charactersMax - [...graphemes(input.text)].length;
  const added = [...graphemes(clean)].slice(0, Math.max(0, room)).join("");
  const text = input.text.slice(0, input.cursor) + added + input.text.slice(input.cursor);
  return { text, cursor: input.cursor + added.length };
}

/** Undefined when the key edits nothing. */
export function edit(input: TextInput, key: string, charactersMax = INPUT_CHARACTERS_MAX): TextInput | undefined {
  const before = input.text.slice(0, input.cursor);
  const after = input.text.slice(input.cursor);
  switch (key) {
    case "backspace": {
      const kept = withoutLast(before);
      return { text: kept + after, cursor: kept.length };
    }
    case "delete":
    case "ctrl-d":
      return { text: before + withoutFirst(after), cursor: before.length };
    case "left":
    case "ctrl-b":
      return { ...input, cursor: withoutLast(before).length };
    case "right":
    case "ctrl-f":
      return { ...input, cursor: input.text.length - withoutFirst(after).length };
    case "home":
    case "ctrl-a":
      return { ...input, cursor: 0 };
    case "end":
    case "ctrl-e":
      return { ...input, cursor: input.text.length };
    case "ctrl-u":
      return { text: after, cursor: 0 };
    case "ctrl-w": {
      const kept = before.replace(/\S*\s*$/, "");
      return { text: kept + after, cursor: kept.length };
    }
    case "space":
      return insert(input, " ", charactersMax);
    default:
      return isText(key) ? insert(input, key, charactersMax) : undefined;
  }
}

/** What fits in `columns`, with the cursor in it: the text before, under and after the cursor. */
export function visibleInput(input: TextInput, columns: number): [before: string, under: string, after: string] {
  let before = input.text.slice(0, input.cursor);
  const rest = [...graphemes(input.text.slice(input.cursor))];
  const under = rest[0] ?? " ";
  while (widthOf(before) + widthOf(under) > columns && before !== "") before = withoutFirst(before);
  const after = takeStart(rest.slice(1).join(""), columns - widthOf(before) - widthOf(under));
  return [before, under, after];
}

/** Named keys are longer than one character and ASCII. */
const isText = (key: string): boolean => [...graphemes(key)].length === 1 && !/^[\x00-\x1f\x7f]/.test(key);

const withoutLast = (text: string): string => [...graphemes(text)].slice(0, -1).join("");
const withoutFirst = (text: string): string => [...graphemes(text)].slice(1).join("");
