import type { Key } from "./detach-key.ts";

/**
 * Cuts what a terminal sends into keys, pastes and reports, byte for byte: put together again they are what came in. Text is latin1 here, one
 * character a byte.
 *
 * A sequence that is cut in two is held (`holdMs`) until the rest comes or `flush`. Inside a bracketed paste nothing is a key and nothing is held.
 */
export interface Token {
  text: string;
  /**
   * `key`: somebody pressed it; `still`: a key goes up, or one that only modifies; `pointer`: the mouse; `report`: the terminal says something by
   * itself (focus, an answer to a question of the program); `paste`: a part of one; `text`: plain characters, several at once.
   */
  kind: "key" | "still" | "pointer" | "report" | "paste" | "text";
  /** Of a key that has a character. */
  key?: Key;
}

/** ECMA-48 §5.4; and the three bytes behind `CSI M` of the oldest mouse reports (xterm's ctlseqs). */
const CSI = /^\x1b\[(?:M[\s\S]{3}|([0-?]*)([ -/]*)([@-LN-~]|M(?<=[0-9]M)))/;
const SS3 = /^\x1bO[@-~]/;
/** OSC, DCS and APC as terminals answer with them. */
const ANSWER = /^\x1b(?:\][0-9]|P[0-9>!$+]|_G)[^\x00-\x06\x07\x0e-\x1f]*(?:\x07|\x1b\\)/;
const UNFINISHED =
  /^\x1b(?:\[(?:[0-?]*[ -/]*|M[\s\S]{0,2})|O|[\]P_]|(?:\][0-9]|P[0-9>!$+]|_G)[^\x00-\x1f]{0,4096}\x1b?)?$/;
const PLAIN_RUN = /^[^\x00-\x1f\x7f]+/;
const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** An escape alone is a key in its own right, and its user waits; the rest of a sequence that has begun is on its way. */
const ESCAPE_HOLD_MS = 20;
const SEQUENCE_HOLD_MS = 100;
/** A paste whose end does not come is over after this silence. */
const PASTE_SILENCE_MS = 5_000;

export class KeyTokens {
  readonly #nowMs: () => number;
  #held = "";
  #isPaste = false;
  /** The last characters of the paste so far, in which its end may have begun. */
  #pasteTail = "";
  #lastMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How long to wait for the rest of what is held; undefined when nothing is. */
  get holdMs(): number | undefined {
    if (this.#held === "") return undefined;
    return this.#held === "\x1b" ? ESCAPE_HOLD_MS : SEQUENCE_HOLD_MS;
  }

  push(bytes: Uint8Array): Token[] {
    const nowMs = this.#nowMs();
    if (this.#isPaste && nowMs - this.#lastMs > PASTE_SILENCE_MS) this.#isPaste = false;
    this.#lastMs = nowMs;
    this.#held += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    return this.#take(false);
  }

  /** The rest has not come: what is held is what it is. */
  flush(): Token[] {
    return this.#take(true);
  }

  #take(isFinal: boolean): Token[] {
    const tokens: Token[] = [];
    while (this.#held !== "") {
      if (this.#isPaste) this.#takePaste(tokens);
      else if (!isFinal && UNFINISHED.test(this.#held)) break;
      else this.#takeOne(tokens);
    }
    return tokens;
  }

  #takePaste(tokens: Token[]): void {
    const seen = this.#pasteTail + this.#held;
    const at = seen.indexOf(PASTE_END);
    const length = at === -1 ? this.#held.length : at + PASTE_END.length - this.#pasteTail.length;
    this.#pasteTail = at === -1 ? seen.slice(-(PASTE_END.length - 1)) : "";
    this.#isPaste = at === -1;
    this.#put(tokens, length, "paste");
  }

  #takeOne(tokens: Token[]): void {
    const plain = PLAIN_RUN.exec(this.#held);
    if (plain) return this.#put(tokens, plain[0].length, "text");
    const csi = CSI.exec(this.#held);
    if (csi) return this.#takeCsi(tokens, csi);
    const answer = ANSWER.exec(this.#held);
    if (answer) return this.#put(tokens, answer[0].length, "report");
    const ss3 = SS3.exec(this.#held);
    if (ss3) return this.#put(tokens, ss3[0].length, "key");
    const first = this.#held.charCodeAt(0);
    if (first !== 0x1b) return this.#put(tokens, 1, "key", controlKey(first));
    // Escape, or a key with alt; an escape before a sequence is a key by itself.
    this.#put(tokens, /^\x1b[^\x00-\x1f]/.test(this.#held) ? 2 : 1, "key");
  }

  #takeCsi(tokens: Token[], [whole, parameters = "", intermediates = "", final = ""]: RegExpExecArray): void {
    if (whole === PASTE_BEGIN) {
      this.#isPaste = true;
      this.#pasteTail = "";
      return this.#put(tokens, whole.length, "paste");
    }
    const { kind, key } = csiToken(parameters, intermediates, final);
    this.#put(tokens, whole.length, kind, key);
  }

  #put(tokens: Token[], length: number, kind: Token["kind"], key?: Key): void {
    tokens.push({ text: this.#held.slice(0, length), kind, ...(key ? { key } : {}) });
    this.#held = this.#held.slice(length);
  }
}

const controlKey = (code: number): Key =>
  code === 0x7f ? { char: "?", ctrl: true } : { char: String.fromCharCode(code | 0x40).toLowerCase(), ctrl: true };

function csiToken(parameters: string, intermediates: string, final: string): Pick<Token, "kind" | "key"> {
  if (final === "" || ((final === "M" || final === "m") && /^<?[0-9]/.test(parameters))) return { kind: "pointer" };
  // Focus; answers to DA, DSR, CPR, DECRQM, XTWINOPS, kitty's `CSI ? u`. A `CSI 1 ; 5 R` may be F3: it counts as an answer.
  if ("IO".includes(final) && parameters === "") return { kind: "report" };
  if (/^[?>=]/.test(parameters) || intermediates !== "" || "cnRty".includes(final)) return { kind: "report" };
  const fields = parameters.split(";");
  if (final === "u") return keyToken(fields[0]!, fields[1] ?? "1");
  if (final === "~" && fields[0] === "27" && fields.length === 3) return keyToken(fields[2]!, fields[1]!);
  return isRelease(fields[1] ?? "1") ? { kind: "still" } : { kind: "key" };
}

/** Modifiers as kitty and xterm send them: 1 + shift 1, alt 2, ctrl 4, super 8, hyper 16, meta 32, caps lock 64, num lock 128. */
const CTRL = 4;
const OTHER_MODIFIERS = 2 | 8 | 16 | 32;
/** Keys that only modify (shift, ctrl, caps lock, …), in the private use area of kitty's keyboard protocol. */
const MODIFIER_KEYS = { first: 57_358, last: 57_363, leftFirst: 57_441, rightLast: 57_454 };

/** `code[:shifted[:base]]` and `modifiers[:event]`, the event 1 press, 2 repeat, 3 release (kitty's keyboard protocol). */
function keyToken(codes: string, modifiers: string): Pick<Token, "kind" | "key"> {
  const [code = 0, shifted, base] = codes.split(":").map(Number);
  if (isRelease(modifiers) || isModifierKey(code)) return { kind: "still" };
  const bits = Number(modifiers.split(":")[0] || "1") - 1;
  if (bits & OTHER_MODIFIERS) return { kind: "key" };
  const ctrl = (bits & CTRL) !== 0;
  const character = bits & 1 && shifted ? shifted : code;
  // On a layout without Latin letters the key is meant that would have them.
  const meant = character > 0x7e && base ? base : character;
  if (meant < 0x20 || meant > 0x7e) return { kind: "key" };
  const char = String.fromCharCode(meant);
  return { kind: "key", key: { char: ctrl ? char.toLowerCase() : char, ctrl } };
}

const isRelease = (modifiers: string): boolean => modifiers.split(":")[1] === "3";

const isModifierKey = (code: number): boolean =>
  (code >= MODIFIER_KEYS.first && code <= MODIFIER_KEYS.last) ||
  (code >= MODIFIER_KEYS.leftFirst && code <= MODIFIER_KEYS.rightLast);
