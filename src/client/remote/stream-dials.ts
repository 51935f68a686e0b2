import type { WarrenError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { utf8 } from "../../sealing/bytes.ts";
import type { Dial, Wire } from "../client.ts";
import type { ByteWire, DialBytes } from "../terminal-world.ts";
import type { LiveStream, StreamEvents } from "./live-stream.ts";

/** What a `Client` and a `TerminalClient` dial with, where the way to a server is a stream of a session. */
export interface StreamDialsOptions {
  /** A stream of the session that stands. Waits for one. @throws why there is none */
  open(target: string, events: StreamEvents): Promise<LiveStream>;
  /**
   * A stream that ended before it said anything, for that reason: whoever dials again would get the same. What this answers is thrown at the next dial;
   * undefined: that one is like the first.
   */
  refusalOf(why: WarrenError | undefined): WarrenError | undefined;
}

export class StreamDials {
  readonly #options: StreamDialsOptions;

  constructor(options: StreamDialsOptions) {
    this.#options = options;
  }

  /** JSON lines to the server that has the target. */
  lines(target: string): Dial {
    return this.#dialling(target, ({ onLine, onClose }) => {
      const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
      return {
        onBytes: (bytes) => {
          for (const line of splitter.push(bytes)) onLine(line);
        },
        onClose,
        wireOf: (stream): Wire => ({ send: (line) => stream.send(utf8(`${line}\n`)), close: () => stream.close() }),
      };
    });
  }

  /** Bytes as they are. */
  bytes(target: string): DialBytes {
    return this.#dialling(target, ({ onBytes, onClose }) => ({
      onBytes,
      onClose,
      wireOf: (stream): ByteWire => ({
        send: (bytes) => stream.send(bytes),
        pause: () => stream.pause(),
        resume: () => stream.resume(),
        close: () => stream.close(),
      }),
    }));
  }

  #dialling<Events, W>(
    target: string,
    kindOf: (events: Events) => { onBytes(bytes: Uint8Array): void; onClose(): void; wireOf(stream: LiveStream): W },
  ): (events: Events) => Promise<W> {
    const { open, refusalOf } = this.#options;
    let refusal: WarrenError | undefined;
    return async (events) => {
      const { onBytes, onClose, wireOf } = kindOf(events);
      const known = refusal;
      refusal = undefined;
      if (known) throw known;
      let hasSpoken = false;
      const stream = await open(target, {
        onBytes: (bytes) => {
          hasSpoken = true;
          onBytes(bytes);
        },
        onClosed: (why) => {
          if (!hasSpoken) refusal = refusalOf(why);
          onClose();
        },
      });
      return wireOf(stream);
    };
  }
}

/** Of a server that is being replaced there: it is worth another try. */
const PASSING: readonly string[] = ["TARGET_GONE", "TARGET_UNREACHABLE", "SERVER_ENDING"];
export const isPassing = ({ code }: WarrenError): boolean => PASSING.includes(code);
