import { systemCode } from "../protocol/errors.ts";
import { COLOURED, PLAIN, type Style } from "./render/style.ts";

/**
 * The two streams to which a command writes. A reader that goes away (`| head`) is no error: what is written afterwards is dropped, and `onGone`
 * lets the command end.
 */
export interface Output {
  /** Standard output is a terminal, so that colour, glyphs, cutting and hints are wanted. */
  readonly isTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Of the terminal; 80 when there is none. */
  readonly columnCount: number;
  readonly style: Style;
  readonly errorStyle: Style;
  /** Emoji and glyphs are wanted. */
  readonly glyphs: boolean;
  /** How a command that is shown has to be typed here, when it is about another machine. */
  typed?(command: string): string;
  line(text?: string): void;
  errorLine(text?: string): void;
  json(value: unknown): void;
  /** Bytes as they are; resolves when the stream wants more. */
  bytes(stream: "stdout" | "stderr", bytes: Uint8Array | string): Promise<void>;
  /** Everything has been handed to the system. */
  flushed(): Promise<void>;
}

export interface OutputOptions {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Readonly<NodeJS.ProcessEnv>;
  /** Standard output's reader has gone away. */
  onGone: () => void;
}

export function openOutput({ stdout, stderr, env, onGone }: OutputOptions): Output {
  // https://no-color.org: present and not empty.
  const colour = !env.NO_COLOR && env.TERM !== "dumb";
  const gone = { stdout: false, stderr: false };
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ["stdout" | "stderr", NodeJS.WriteStream][]) {
    stream.on("error", (error) => {
      if (systemCode(error) !== "EPIPE" && systemCode(error) !== "ECONNRESET" && systemCode(error) !== "EIO")
        throw error;
      gone[name] = true;
      if (name === "stdout") onGone();
    });
  }
  const write = (name: "stdout" | "stderr", data: Uint8Array | string): Promise<void> | undefined => {
    const stream = name === "stdout" ? stdout : stderr;
    if (gone[name] || data.length === 0 || stream.write(data)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ["drain", "error", "close"]) stream.off(event, done);
        resolve();
      };
      for (const event of ["drain", "error", "close"]) stream.once(event, done);
    });
  };
  return {
    isTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    get columnCount() {
      return stdout.columns || 80;
    },
    style: stdout.isTTY && colour ? COLOURED : PLAIN,
    errorStyle: stderr.isTTY && colour ? COLOURED : PLAIN,
    glyphs: !isSet(env.WARREN_NO_EMOJI),
    line: (text = "") => void write("stdout", `${text}\n`),
    errorLine: (text = "") => void write("stderr", `${text}\n`),
    json: (value) => void write("stdout", `${JSON.stringify(value, null, 2)}\n`),
    bytes: async (stream, bytes) => {
      await write(stream, bytes);
    },
    flushed: async () => {
      for (const [name, stream] of Object.entries({ stdout, stderr }) as ["stdout" | "stderr", NodeJS.WriteStream][]) {
        if (!gone[name] && stream.writableLength > 0) await new Promise((resolve) => stream.write("", resolve));
      }
    },
  };
}

export const isSet = (value: string | undefined): boolean => value !== undefined && value !== "" && value !== "0";

/** A command that is shown, as it has to be typed here. */
export const typed = (output: Output, command: string): string => output.typed?.(command) ?? command;
