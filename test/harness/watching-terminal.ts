import { dialSession } from "../../src/cli/attach/dial-session.ts";
import { TerminalClient } from "../../src/client/terminal-client.ts";
import type { DialBytes } from "../../src/client/terminal-world.ts";
import { findSession } from "../../src/local/find-session.ts";
import { dialUnixBytes } from "../../src/local/unix-wire.ts";
import type { Places } from "../../src/platform/paths.ts";
import type { Outcome } from "../../src/protocol/outcome.ts";
import type { TerminalControl } from "../../src/protocol/terminal-frames.ts";
import { waitUntil } from "./wait-until.ts";

/** A terminal that is attached to a session in this process: what it got, byte for byte, through every reconnect. */
export interface WatchOptions {
  size?: { cols: number; rows: number };
  isViewer?: boolean;
  /** The way to it; default: this machine's. */
  dial?: DialBytes;
}

export class WatchingTerminal implements Disposable {
  readonly client: TerminalClient;
  readonly screens: string[] = [];
  /** Output since the last screen. */
  #output: Buffer[] = [];
  #since = "";
  skippedBytes = 0;
  attachCount = 0;
  /** Its connection is cut at the moment. */
  lost = false;
  control: TerminalControl | undefined;
  outcome: Outcome | undefined;
  failure: Error | undefined;

  static async attach(places: Places, session: string, options: WatchOptions = {}): Promise<WatchingTerminal> {
    const terminal = new WatchingTerminal(places, session, options);
    terminal.client.start();
    await waitUntil(() => terminal.screens.length > 0 || terminal.failure !== undefined, { what: "the first screen" });
    if (terminal.failure) throw terminal.failure;
    return terminal;
  }

  private constructor(places: Places, session: string, options: WatchOptions) {
    const { size = { cols: 80, rows: 24 }, isViewer, dial } = options;
    const findServer = async () => {
      const { entry, name } = await findSession(places, session);
      return { socket: entry.socket, name };
    };
    this.client = new TerminalClient({
      dial: dial ?? dialSession({ findServer, dialSocket: dialUnixBytes }),
      session,
      name: "test",
      version: "0",
      clientId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
      size,
      ...(isViewer ? { isViewer } : {}),
      events: {
        onOutput: (bytes) => void this.#output.push(Buffer.from(bytes)),
        onScreen: (bytes, skippedBytes) => {
          this.screens.push(Buffer.from(bytes).toString());
          this.skippedBytes += skippedBytes;
        },
        onControl: (control) => {
          this.control = control;
        },
        onAttached: () => {
          this.attachCount += 1;
        },
        onConnection: (state) => {
          this.lost = state === "lost";
        },
        onEnd: (outcome) => {
          this.outcome = outcome;
        },
        onFailed: (error) => {
          this.failure = error;
        },
      },
    });
  }

  /** Everything that came as output, in order. */
  get output(): string {
    if (this.#output.length > 0) {
      this.#since += Buffer.concat(this.#output).toString("latin1");
      this.#output = [];
    }
    return this.#since;
  }

  type(text: string): void {
    this.client.type(Buffer.from(text));
  }

  shows(pattern: RegExp, deadlineMs = 20_000): Promise<true> {
    return waitUntil(
      () => (pattern.test(this.output) || this.screens.some((one) => pattern.test(one)) ? true : undefined),
      {
        what: `${pattern} in ${JSON.stringify(this.output.slice(-300))}`,
        deadlineMs,
      },
    );
  }

  [Symbol.dispose](): void {
    void this.client.detach(0);
  }
}
