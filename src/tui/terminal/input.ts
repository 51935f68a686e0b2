import { StringDecoder } from "node:string_decoder";
import type { Action } from "../model/model.ts";
import { graphemes } from "../text/width.ts";

/**
 * Bytes of a terminal as actions: keys by name, text by grapheme, the mouse (SGR mode 1006 of xterm's ctlseqs) and bracketed paste (mode 2004). Ink's
 * own reader knows no mouse, so this one reads instead of it.
 *
 * An escape at the end of a chunk may be the key or the beginning of a sequence: it is held (`isHolding`) until the next chunk or `flush`. A paste
 * is held until its end; past PASTE_CHARACTERS_MAX the rest of it is dropped.
 */

const PASTE_CHARACTERS_MAX = 64 * 1024;
const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";
const WHEEL_LINES = 3;

/** Parameters, intermediates, final (ECMA-48 §5.4). */
const CSI = /^\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])/;
const SS3 = /^\x1bO([@-~])/;
const UNFINISHED = /^\x1b(?:\[[<=>?]?[0-9;:]*[ -/]*|O)?$/;

const FINAL_KEYS: Record<string, string> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "shift-tab",
  M: "enter",
};
const TILDE_KEYS: Record<string, string> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pgup",
  6: "pgdn",
  7: "home",
  8: "end",
};
const CONTROL_KEYS: Record<string, string> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  " ": "space",
};

export type InputAction = Extract<Action, { type: "key" | "paste" | "mouse" }>;

export class InputDecoder {
  readonly #decoder = new StringDecoder("utf8");
  #held = "";
  /** The text of a paste under way. */
  #paste: string | undefined;

  get isHolding(): boolean {
    return this.#held !== "" && this.#paste === undefined;
  }

  push(chunk: Buffer): InputAction[] {
    this.#held += this.#decoder.write(chunk);
    return this.#take(false);
  }

  /** Nothing followed: what is held is what it is. */
  flush(): InputAction[] {
    return this.#take(true);
  }

  #take(isFinal: boolean): InputAction[] {
    const actions: InputAction[] = [];
    while (this.#held !== "") {
      if (this.#paste !== undefined) {
        if (!this.#takePaste(actions)) break;
        continue;
      }
      if (this.#held.startsWith(PASTE_START)) {
        this.#held = this.#held.slice(PASTE_START.length);
        this.#paste = "";
        continue;
      }
      if (!isFinal && UNFINISHED.test(this.#held)) break;
      this.#takeOne(actions);
    }
    return actions;
  }

  /** False when its end is still to come. */
  #takePaste(actions: InputAction[]): boolean {
    const end = this.#held.indexOf(PASTE_END);
    // The end may be cut in two: its beginning stays held.
    const until = end === -1 ? Math.max(0, this.#held.length - PASTE_END.length + 1) : end;
    this.#paste = (this.#paste + this.#held.slice(0, until)).slice(0, PASTE_CHARACTERS_MAX);
    this.#held = this.#held.slice(end === -1 ? until : end + PASTE_END.length);
    if (end === -1) return false;
    actions.push({ type: "paste", text: this.#paste });
    this.#paste = undefined;
    return true;
  }

  #takeOne(actions: InputAction[]): void {
    const csi = CSI.exec(this.#held);
    if (csi) {
      this.#held = this.#held.slice(csi[0].length);
      const action = actionOfCsi(csi[1]!, csi[2]!, csi[4]!);
      if (action) actions.push(action);
      return;
    }
    const ss3 = SS3.exec(this.#held);
    if (ss3) {
      this.#held = this.#held.slice(ss3[0].length);
      const key = FINAL_KEYS[ss3[1]!];
      if (key) actions.push({ type: "key", key });
      return;
    }
    if (this.#held.startsWith("\x1b")) {
      this.#takeEscape(actions);
      return;
    }
    // A control is a key by itself: CR LF would be one grapheme.
    const [first] = /^[\x00-\x1f\x7f]/.test(this.#held) ? this.#held : graphemes(this.#held);
    this.#held = this.#held.slice(first!.length);
    const key = keyOfText(first!);
    if (key) actions.push({ type: "key", key });
  }

  /** Escape alone, or Alt with a key. */
  #takeEscape(actions: InputAction[]): void {
    const [next = ""] = graphemes(this.#held.slice(1));
    const isAlt = next !== "" && next !== "\x1b";
    this.#held = this.#held.slice(1 + (isAlt ? next.length : 0));
    actions.push({ type: "key", key: isAlt ? `alt-${keyOfText(next)}` : "esc" });
  }
}

function keyOfText(text: string): string | undefined {
  const named = CONTROL_KEYS[text];
  if (named) return named;
  const code = text.charCodeAt(0);
  if (code >= 0x20) return text;
  return code >= 1 && code <= 26 ? `ctrl-${String.fromCharCode(code + 0x60)}` : undefined;
}

function actionOfCsi(prefix: string, parameters: string, final: string): InputAction | undefined {
  if (prefix === "<" && (final === "M" || final === "m")) return mouseOf(parameters, final === "m");
  if (prefix !== "") return undefined;
  const key = final === "~" ? TILDE_KEYS[parameters.split(";")[0]!] : FINAL_KEYS[final];
  return key ? { type: "key", key } : undefined;
}

/** Bits of the button: 0–1 which, 2–4 modifiers, 5 motion, 6 wheel. Only the left button and the wheel do something. */
function mouseOf(parameters: string, isRelease: boolean): InputAction | undefined {
  const [button = 0, column = 1, row = 1] = parameters.split(";").map(Number);
  const at = { x: column - 1, y: row - 1 };
  if (button & 64) {
    const direction = button & 3;
    if (direction > 1) return undefined;
    return { type: "mouse", mouse: { kind: "wheel", ...at, lines: direction === 0 ? -WHEEL_LINES : WHEEL_LINES } };
  }
  if ((button & 3) !== 0) return undefined;
  const kind = isRelease ? "release" : button & 32 ? "drag" : "press";
  return { type: "mouse", mouse: { kind, ...at } };
}
