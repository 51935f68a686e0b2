/**
 * Follows what is written to the user's terminal just far enough to leave it well: which screen it shows, and whether the last byte ended a
 * character and a sequence, so that something of ours may be written behind it (ECMA-48 §5.4, §5.6; xterm's ctlseqs).
 */
type State = "text" | "escape" | "control" | "string" | "string-escape";

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const NEWLINE = 0x0a;
const PARAMETER_CHARACTERS_MAX = 64;
/** Private modes that switch to the alternate screen. */
const ALTERNATE_MODES = ["47", "1047", "1049"];
/** What begins a string: OSC, DCS, APC, PM, SOS. */
const STRING_BEGINS = "]P_^X";

export class ScreenState {
  #state: State = "text";
  #parameters = "";
  #alternateMode: string | undefined;
  /** Of a UTF-8 character, still to come. */
  #continuationCount = 0;
  #lastByte = NEWLINE;

  /** The mode by which the alternate screen was entered, while it is shown. */
  get alternateMode(): string | undefined {
    return this.#alternateMode;
  }

  /** Nothing is half written. */
  get isBetween(): boolean {
    return this.#state === "text" && this.#continuationCount === 0;
  }

  get isAtLineStart(): boolean {
    return this.#lastByte === NEWLINE;
  }

  follow(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "text") {
        const next = bytes.indexOf(ESC, at);
        this.#followText(bytes, at, next === -1 ? bytes.length : next);
        if (next === -1) break;
        this.#state = "escape";
        at = next + 1;
      } else {
        this.#step(bytes[at]!);
        at += 1;
      }
    }
    this.#lastByte = bytes.at(-1)!;
  }

  /** Only the last character can be unfinished. */
  #followText(bytes: Uint8Array, from: number, to: number): void {
    let lead = to - 1;
    while (lead >= from && to - lead < 4 && (bytes[lead]! & 0xc0) === 0x80) lead -= 1;
    if (lead < from) {
      this.#continuationCount = Math.max(0, this.#continuationCount - (to - from));
      return;
    }
    this.#continuationCount = Math.max(0, utf8Length(bytes[lead]!) - (to - lead));
  }

  #step(byte: number): void {
    if (byte === CAN || byte === SUB) this.#state = "text";
    else if (byte === ESC) this.#state = this.#state === "string" ? "string-escape" : "escape";
    else if (this.#state === "string") this.#state = byte === BEL ? "text" : "string";
    else if (this.#state === "control") this.#stepControl(byte);
    else this.#stepEscape(byte);
  }

  /** Behind an escape, in a string too: whatever is no ST begins anew. */
  #stepEscape(byte: number): void {
    const char = String.fromCharCode(byte);
    if (char === "[") {
      this.#state = "control";
      this.#parameters = "";
    } else if (STRING_BEGINS.includes(char)) this.#state = "string";
    else if (byte >= 0x30) {
      if (char === "c") this.#alternateMode = undefined; // RIS
      this.#state = "text";
    }
  }

  #stepControl(byte: number): void {
    if (byte < 0x40 || byte > 0x7e) {
      if (byte >= 0x20 && this.#parameters.length < PARAMETER_CHARACTERS_MAX)
        this.#parameters += String.fromCharCode(byte);
      return;
    }
    this.#state = "text";
    const isSet = byte === 0x68; // h
    if ((!isSet && byte !== 0x6c) || !this.#parameters.startsWith("?")) return;
    const mode = this.#parameters
      .slice(1)
      .split(";")
      .find((one) => ALTERNATE_MODES.includes(one));
    if (mode) this.#alternateMode = isSet ? mode : undefined;
  }
}

function utf8Length(lead: number): number {
  if (lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
