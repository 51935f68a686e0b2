import { type DetachKey, type Key, sameKey } from "./detach-key.ts";
import { KeyTokens, type Token } from "./key-tokens.ts";

/**
 * Finds our own keys in what is typed and passes on everything else, byte for byte and in order.
 *
 * The prefix is held back until the next key, or for PREFIX_HOLD_MS: then both were meant for the program. Twice, it is sent once. Reports of the
 * terminal and the mouse pass meanwhile, and a key that goes up ends nothing.
 */
export type KeyAction =
  | { kind: "type"; bytes: Uint8Array; by: TypedBy }
  | { kind: "detach" }
  | { kind: "take" }
  | { kind: "redraw" };

/** The terminal says things by itself: focus, answers to a program's questions. */
export type TypedBy = "keys" | "pointer" | "terminal";

/** A person who wants both keys presses them within this; past it the prefix is sent. */
const PREFIX_HOLD_MS = 500;

const COMMANDS: Record<string, "take" | "redraw"> = { t: "take", r: "redraw" };

export interface KeyFilterOptions {
  detach: DetachKey;
  /** Detach by themselves too. */
  also?: readonly Key[];
  /** Milliseconds from some fixed moment. */
  nowMs: () => number;
}

export class KeyFilter {
  readonly #options: KeyFilterOptions;
  readonly #tokens: KeyTokens;
  /** The prefix as it was sent. */
  #prefix: string | undefined;
  #actions: KeyAction[] = [];
  /** Text of one sort that comes before the next action. */
  #text = "";
  #by: TypedBy = "keys";

  constructor(options: KeyFilterOptions) {
    this.#options = options;
    this.#tokens = new KeyTokens(options.nowMs);
  }

  /** When to call `flush` unless more comes; undefined when nothing is held back. */
  get holdMs(): number | undefined {
    return this.#tokens.holdMs ?? (this.#prefix === undefined ? undefined : PREFIX_HOLD_MS);
  }

  push(bytes: Uint8Array): KeyAction[] {
    return this.#take(this.#tokens.push(bytes));
  }

  /** Nothing has followed for `holdMs`. */
  flush(): KeyAction[] {
    if (this.#tokens.holdMs !== undefined) return this.#take(this.#tokens.flush());
    this.#release();
    return this.#taken();
  }

  #take(tokens: Token[]): KeyAction[] {
    for (const token of tokens) {
      if (this.#isDetach(token)) {
        this.#act({ kind: "detach" });
        break; // what is typed behind it is for nobody
      }
      if (this.#prefix === undefined) this.#plain(token);
      else this.#behindPrefix(token);
    }
    return this.#taken();
  }

  #isDetach({ key, kind, text }: Token): boolean {
    const { detach, also = [] } = this.#options;
    if (key && also.some((other) => sameKey(key, other))) return true;
    if (!detach.second) return key !== undefined && sameKey(key, detach.first);
    if (this.#prefix === undefined) return false;
    const pressed = key ?? (kind === "text" ? { char: text[0]!, ctrl: false } : undefined);
    return pressed !== undefined && sameKey(pressed, detach.second);
  }

  #plain(token: Token): void {
    const { key, kind, text } = token;
    if (key && sameKey(key, this.#options.detach.first)) this.#prefix = text;
    else this.#type(text, typedBy(kind));
  }

  #behindPrefix(token: Token): void {
    const { key, kind, text } = token;
    if (kind === "still" || kind === "report" || kind === "pointer") return this.#type(text, typedBy(kind));
    if (key && sameKey(key, this.#options.detach.first)) return this.#release();
    const char = key && !key.ctrl ? key.char : kind === "text" ? text[0]! : "";
    const command = COMMANDS[char];
    if (!command) {
      this.#release();
      return this.#type(text, typedBy(kind));
    }
    this.#prefix = undefined;
    this.#act({ kind: command });
    const rest = kind === "text" ? text.slice(1) : "";
    if (rest !== "") this.#type(rest, "keys");
  }

  /** The prefix was meant for the program. */
  #release(): void {
    const prefix = this.#prefix;
    this.#prefix = undefined;
    if (prefix !== undefined) this.#type(prefix, "keys");
  }

  #type(text: string, by: TypedBy): void {
    if (by !== this.#by) this.#endText();
    this.#by = by;
    this.#text += text;
  }

  #act(action: KeyAction): void {
    this.#endText();
    this.#actions.push(action);
  }

  #endText(): void {
    if (this.#text !== "") this.#actions.push({ kind: "type", bytes: Buffer.from(this.#text, "latin1"), by: this.#by });
    this.#text = "";
  }

  #taken(): KeyAction[] {
    this.#endText();
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

function typedBy(kind: Token["kind"]): TypedBy {
  if (kind === "report") return "terminal";
  return kind === "pointer" ? "pointer" : "keys";
}
