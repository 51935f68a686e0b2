import { WarrenError } from "../../protocol/errors.ts";

/** A key as the user names it: `ctrl-\`, `d`. */
export interface Key {
  /** Lower case where ctrl is held. */
  char: string;
  ctrl: boolean;
}

/** The keys that detach: one alone, or a prefix and a second one. */
export interface DetachKey {
  first: Key;
  second?: Key;
}

export const CTRL_C: Key = { char: "c", ctrl: true };

/** What ctrl can be held with so that a terminal sends a control character (ECMA-48 §5.2). */
const CONTROLLABLE = /^[a-z@[\]\\^_]$/;
const CONTROL_PREFIX = /^(?:ctrl-|c-|\^)(?=.)/i;

/**
 * Reads `ctrl-\ d`, `ctrl-a d`, `ctrl-]`; also `^A d` and `C-a d`. The first key is one with ctrl, since every other is typed.
 * @throws DETACH_KEY_INVALID
 */
export function parseDetachKey(text: string): DetachKey {
  const words = text.trim().split(/\s+/);
  const [first, second, ...more] = words.map((word) => keyOf(word, text));
  if (!first || words[0] === "") throw invalid(text, "it names no key");
  if (more.length > 0) throw invalid(text, "it has more than two keys");
  if (!first.ctrl) throw invalid(text, `the first key has to be one with ctrl, since ${words[0]} alone is typed`);
  if (second && sameKey(first, second)) throw invalid(text, "the same key twice sends that key to the program");
  return second ? { first, second } : { first };
}

export const sameKey = (a: Key, b: Key): boolean => a.char === b.char && a.ctrl === b.ctrl;

/** What a terminal sends for it (ECMA-48 §5.2). */
export const textOfKey = ({ char, ctrl }: Key): string =>
  ctrl ? String.fromCharCode(char.toUpperCase().charCodeAt(0) & 0x1f) : char;

/** As help and hints show it. */
export const detachKeyText = ({ first, second }: DetachKey): string =>
  [first, second].flatMap((key) => (key ? [`${key.ctrl ? "ctrl-" : ""}${key.char}`] : [])).join(" ");

function keyOf(word: string, text: string): Key {
  const char = word.replace(CONTROL_PREFIX, "");
  if (char === word) {
    if (/^[!-~]?$/.test(word)) return { char: word, ctrl: false };
    throw invalid(text, `${word} is no key: ctrl with a letter, or a single character`);
  }
  const lower = char.toLowerCase();
  if (!CONTROLLABLE.test(lower))
    throw invalid(text, `ctrl goes with a letter or one of @ [ ] \\ ^ _, not with ${char}`);
  return { char: lower, ctrl: true };
}

const invalid = (text: string, why: string): WarrenError =>
  new WarrenError("DETACH_KEY_INVALID", `"${text}" cannot be the key that detaches: ${why}.`, {
    fix: "sessions: { detach: 'ctrl-\\ d' }      # in config.yaml",
  });
