import { TerminalClient } from "../../client/terminal-client.ts";
import type { TerminalControl } from "../../protocol/terminal-frames.ts";
import { type AttachEnd, type AttachRequest, onEndSignals } from "./attachment.ts";
import { CTRL_C } from "./detach-key.ts";
import { type KeyAction, KeyFilter } from "./key-filter.ts";
import { RawTerminal, type TerminalStreams } from "./raw-terminal.ts";

/** A wire that is cut for less than this is not worth a word. */
const SAY_LOST_AFTER_MS = 300;
/** A viewer's keys ring once in this time. */
const BELL_PAUSE_MS = 1_000;
const CTRL_C_BYTE = 0x03;

/** Shows a session in the user's terminal until it ends or is left. @throws WarrenError when it cannot be attached to, with the terminal as it was */
export async function attachTerminal(request: AttachRequest, streams: TerminalStreams): Promise<AttachEnd> {
  const shown = new ShownSession(request, streams);
  return shown.run();
}

class ShownSession {
  readonly #request: AttachRequest;
  readonly #terminal: RawTerminal;
  readonly #client: TerminalClient;
  readonly #keys: KeyFilter;
  readonly #end = Promise.withResolvers<AttachEnd>();
  #keyTimer: NodeJS.Timeout | undefined;
  #lostTimer: NodeJS.Timeout | undefined;
  #control: TerminalControl | undefined;
  #isAttached = false;
  #isLeaving = false;
  #lastBellMs = Number.NEGATIVE_INFINITY;

  constructor(request: AttachRequest, streams: TerminalStreams) {
    const { dial, session, title, isViewer, version, clientId, label, detach } = request;
    this.#request = request;
    this.#terminal = new RawTerminal(streams, {
      onInput: (bytes) => this.#onInput(bytes, streams),
      onResize: (size) => this.#client.resize(size),
      onDrain: () => this.#client.resume(),
      onGone: () => this.#end.resolve({ kind: "detached" }),
    });
    this.#keys = new KeyFilter({
      detach,
      nowMs: () => performance.now(),
      // Nothing can be typed, so there is nothing else that ctrl-c could mean.
      ...(isViewer ? { also: [CTRL_C] } : {}),
    });
    this.#client = new TerminalClient({
      dial,
      session,
      title,
      isViewer,
      version,
      clientId,
      label,
      isKnown: true,
      name: "warren-cli",
      size: this.#terminal.size,
      events: {
        onOutput: (bytes) => this.#paint(bytes),
        onScreen: (bytes) => this.#paint(bytes),
        onEnd: (outcome) => this.#end.resolve({ kind: "ended", outcome }),
        onFailed: (error) => this.#end.reject(error),
        onAttached: () => {
          this.#isAttached = true;
        },
        onControl: (control) => {
          this.#control = control;
        },
        onConnection: (state) => this.#onConnection(state),
        onRoom: () => void streams.stdin.resume(),
      },
    });
  }

  async run(): Promise<AttachEnd> {
    const forgetSignals = onEndSignals((signal) => this.#end.resolve({ kind: "signal", signal }));
    process.on("SIGCONT", this.#onContinued);
    try {
      await this.#terminal.open();
      this.#client.resize(this.#terminal.size);
      this.#client.start();
      const end = await this.#end.promise;
      await this.#client.detach(end.kind === "detached" ? undefined : 0);
      return end;
    } finally {
      process.off("SIGCONT", this.#onContinued);
      forgetSignals();
      clearTimeout(this.#keyTimer);
      clearTimeout(this.#lostTimer);
      await this.#client.detach(0);
      this.#terminal.close();
    }
  }

  readonly #onContinued = (): void => {
    void this.#terminal.reopen().then(() => this.#client.redraw());
  };

  #paint(bytes: Uint8Array): void {
    if (!this.#terminal.write(bytes)) this.#client.pause();
  }

  #onInput(bytes: Uint8Array, { stdin }: TerminalStreams): void {
    if (!this.#isAttached && bytes.includes(CTRL_C_BYTE))
      return this.#end.resolve({ kind: "signal", signal: "SIGINT" });
    clearTimeout(this.#keyTimer);
    if (this.#perform(this.#keys.push(bytes)) === "full") stdin.pause();
    this.#holdKeys();
  }

  #holdKeys(): void {
    const { holdMs } = this.#keys;
    if (holdMs === undefined || this.#isLeaving) return;
    this.#keyTimer = setTimeout(() => {
      this.#perform(this.#keys.flush());
      this.#holdKeys();
    }, holdMs);
  }

  #perform(actions: KeyAction[]): "full" | undefined {
    let isFull = false;
    for (const action of actions) {
      if (this.#isLeaving) break;
      switch (action.kind) {
        case "type":
          if (!this.#type(action)) isFull = true;
          break;
        case "detach":
          this.#isLeaving = true;
          this.#end.resolve({ kind: "detached" });
          break;
        case "take":
          this.#client.takeControl();
          break;
        case "redraw":
          this.#client.redraw();
          break;
      }
    }
    return isFull ? "full" : undefined;
  }

  #type({ bytes, by }: Extract<KeyAction, { kind: "type" }>): boolean {
    if (this.#request.isViewer) {
      if (by === "keys") this.#ring();
      return true;
    }
    // The terminal of whoever types answers the program's questions; a second answer would be typed text, and would take control.
    if (by === "terminal" && this.#control?.yours === false) return true;
    return this.#client.type(bytes);
  }

  #ring(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastBellMs < BELL_PAUSE_MS) return;
    this.#lastBellMs = nowMs;
    this.#terminal.ring();
  }

  #onConnection(state: "lost" | "back"): void {
    clearTimeout(this.#lostTimer);
    if (state === "lost")
      this.#lostTimer = setTimeout(() => this.#terminal.setTitle("reconnecting…"), SAY_LOST_AFTER_MS);
    else this.#terminal.clearTitle(this.#control?.title);
  }
}
