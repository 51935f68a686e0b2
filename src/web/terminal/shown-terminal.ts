import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { TerminalClient } from "../../client/terminal-client.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import { APP_NAME } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import { coloursOf } from "./colours.ts";
import { constructStyles } from "./constructed-styles.ts";
import { mendErasing } from "./erase-above.ts";
import { watchPinch } from "./pinch.ts";
import { isReply } from "./replies.ts";
import { type Sticky, withSticky } from "./sticky-keys.ts";

/** A session in an element of the page, by xterm.js and the client's own `TerminalClient`, which reconnects and repeats what was typed. */
export type TerminalNews =
  | { kind: "loading" }
  | { kind: "live" }
  | { kind: "other" }
  /** This browser may look alone. */
  | { kind: "viewing" }
  | { kind: "lost" }
  | { kind: "ended"; text: string }
  | { kind: "failed"; text: string; fix?: string | undefined };

export interface ShownTerminal {
  takeControl(): void;
  takeColours(): void;
  /** Keys of the bar. */
  press(keys: string): void;
  /** For the next key. */
  hold(held: { sticky: Sticky; onUsed: () => void }): void;
  paste(text: string): void;
  close(): void;
}

export interface ShowOptions {
  machine: Machine;
  version: string;
  /** The session's id. */
  session: string;
  box: HTMLElement;
  /** Size of the letters; undefined: by the width of the box. */
  fontPx: number | undefined;
  wantsFocus: boolean;
  /** It may not type there: it takes no size, and what is typed goes nowhere. */
  isViewer: boolean;
  onNews: (news: TerminalNews) => void;
  /** So much is pasted that the person is asked first. */
  onPaste: (text: string) => void;
}

const PASTE_CHARS_FREE = 1_024;
const SCROLLBACK_LINES = 5_000;
const FONT_PX = 14;
const FONT_PX_NARROW = 12;
const NARROW_PX = 600;
/** Bytes given to the terminal and not drawn yet; past it no more are read until half of them are. */
const UNDRAWN_BYTES_MAX = 512 * 1024;
/** A wire that is cut for less than this is not worth a word. */
const SAY_LOST_AFTER_MS = 300;

export const showTerminal = (options: ShowOptions): ShownTerminal => new PageTerminal(options);

class PageTerminal implements ShownTerminal {
  readonly #options: ShowOptions;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #client: TerminalClient;
  readonly #over = new AbortController();
  readonly #observer: ResizeObserver;
  #undrawnBytes = 0;
  #isPaused = false;
  #isOurs = true;
  #held: { sticky: Sticky; onUsed: () => void } | undefined;
  #lostTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ShowOptions) {
    this.#options = options;
    const { box, machine, session, version, fontPx, isViewer } = options;
    constructStyles(window);
    this.#terminal = new Terminal({
      fontFamily: getComputedStyle(box).getPropertyValue("--mono"),
      fontSize: fontPx ?? (box.clientWidth < NARROW_PX ? FONT_PX_NARROW : FONT_PX),
      scrollback: SCROLLBACK_LINES,
      theme: coloursOf(box),
      cursorBlink: false,
      macOptionIsMeta: true,
      allowProposedApi: false,
    });
    mendErasing(this.#terminal);
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(box);
    this.#fit.fit();
    this.#client = new TerminalClient({
      dial: machine.dialBytes(session),
      session,
      isKnown: true,
      name: APP_NAME,
      version,
      clientId: randomHex(8),
      label: "browser",
      size: this.#size(),
      isViewer,
      events: {
        onOutput: (bytes) => this.#draw(bytes),
        onScreen: (bytes) => this.#draw(bytes),
        onEnd: (outcome) => this.#tell({ kind: "ended", text: endText(outcome) }),
        onFailed: ({ message, fix }) => this.#tell({ kind: "failed", text: message, fix }),
        onAttached: () => this.#tellWhoTypes(),
        onControl: ({ yours, controller }) => {
          this.#isOurs = yours || controller === undefined;
          this.#tellWhoTypes();
        },
        onConnection: (state) => this.#onConnection(state),
      },
    });
    this.#listen();
    this.#observer = new ResizeObserver(() => this.#refit());
    this.#observer.observe(box);
    this.#client.start();
    if (options.wantsFocus) this.#terminal.focus();
  }

  takeControl(): void {
    this.#client.takeControl();
    this.#terminal.focus();
  }

  takeColours(): void {
    this.#terminal.options.theme = coloursOf(this.#options.box);
  }

  press(keys: string): void {
    this.#type(keys);
    this.#terminal.focus();
  }

  hold(held: { sticky: Sticky; onUsed: () => void }): void {
    this.#held = held;
    this.#terminal.focus();
  }

  paste(text: string): void {
    this.#terminal.paste(text);
    this.#terminal.focus();
  }

  close(): void {
    this.#over.abort();
    clearTimeout(this.#lostTimer);
    this.#observer.disconnect();
    void this.#client.detach();
    this.#terminal.dispose();
  }

  #tellWhoTypes(): void {
    if (this.#options.isViewer) this.#tell({ kind: "viewing" });
    else this.#tell({ kind: this.#isOurs ? "live" : "other" });
  }

  #listen(): void {
    const { box, onPaste } = this.#options;
    const { signal } = this.#over;
    this.#terminal.onData((data) => this.#type(data));
    this.#terminal.onBinary((data) => this.#client.type(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    const paste = (event: ClipboardEvent): void => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (text.length <= PASTE_CHARS_FREE) return;
      event.preventDefault();
      event.stopPropagation();
      onPaste(text);
    };
    box.addEventListener("paste", paste, { capture: true, signal });
    watchPinch(box, signal, (fontPx) => {
      this.#terminal.options.fontSize = fontPx;
      this.#refit();
    });
  }

  #type(data: string): void {
    if (!this.#isOurs && isReply(data)) return;
    const held = isReply(data) ? undefined : this.#held; // that it has the focus now is no key
    const isHeld = held && (held.sticky.isCtrl || held.sticky.isAlt);
    const keys = isHeld ? withSticky(data, held.sticky) : data;
    if (isHeld) {
      this.#held = undefined;
      held.onUsed();
    }
    this.#client.type(new TextEncoder().encode(keys));
  }

  #draw(bytes: Uint8Array): void {
    this.#undrawnBytes += bytes.length;
    if (this.#undrawnBytes > UNDRAWN_BYTES_MAX && !this.#isPaused) {
      this.#isPaused = true;
      this.#client.pause();
    }
    this.#terminal.write(bytes, () => {
      this.#undrawnBytes -= bytes.length;
      if (!this.#isPaused || this.#undrawnBytes > UNDRAWN_BYTES_MAX / 2) return;
      this.#isPaused = false;
      this.#client.resume();
    });
  }

  #refit(): void {
    this.#fit.fit();
    this.#client.resize(this.#size());
  }

  #size(): { cols: number; rows: number } {
    const { cols, rows } = this.#terminal;
    return { cols, rows };
  }

  /** What is told is newer than that the wire was cut. */
  #tell(news: TerminalNews): void {
    clearTimeout(this.#lostTimer);
    this.#options.onNews(news);
  }

  #onConnection(state: "lost" | "back"): void {
    clearTimeout(this.#lostTimer);
    if (state === "lost") this.#lostTimer = setTimeout(() => this.#tell({ kind: "lost" }), SAY_LOST_AFTER_MS);
  }
}

function endText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.status === 0
        ? "✓ Its program has ended."
        : `✗ Its program has ended with exit status ${outcome.status}.`;
    case "signalled":
      return `◼ Its program was ended by ${outcome.signal}.`;
    default:
      return "◼ Its program is lost.";
  }
}

const randomHex = (bytes: number): string =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
