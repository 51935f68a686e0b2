import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { Backoff } from "../protocol/backoff.ts";
import { messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import { closeOnExec } from "./close-on-exec.ts";

/**
 * A program on a pseudo terminal of its own (pty(7)), through the native half of node-pty. Its JavaScript half is not used: it throws away output that has
 * not been read 200 ms after the exit, and its writes stop the whole process while a terminal is full.
 */
export interface Terminal {
  pid: number;
  /** Ends, mostly by EIO, when the program and whoever shares its terminal have closed it; is closed once the program has exited too. */
  output: ReadStream;
  input: Writable;
  exited: Promise<{ code: number | null; signal: number | null }>;
  resize(cols: number, rows: number): void;
}

export interface TerminalProgram {
  command: string[];
  directory: string;
  env: Record<string, string>;
  cols: number;
  rows: number;
}

/** What the native library offers. */
interface Library {
  fork(
    file: string,
    args: string[],
    env: string[],
    directory: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    isUtf8: boolean,
    helper: string,
    onExit: (code: number, signal: number) => void,
  ): { fd: number; pid: number };
  resize(fd: number, cols: number, rows: number): void;
}

const PACKAGE = `@lydell/node-pty-${process.platform}-${process.arch}`;
const KEEP_USER = -1;

/**
 * The library is loaded with the first terminal. It does not tell of a failed chdir or exec: that is an exit with 1 and a line on the terminal.
 * @throws TERMINAL_LIBRARY_MISSING; what fork says
 */
export function openTerminal({ command, directory, env, cols, rows }: TerminalProgram): Terminal {
  const { library, helper } = loadLibrary();
  const [file = "", ...args] = command;
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; signal: number | null }>();
  const onExit = (code: number, signal: number): void =>
    resolve(signal > 0 ? { code: null, signal } : { code, signal: null });
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { fd, pid } = library.fork(
    file,
    args,
    variables,
    directory,
    cols,
    rows,
    KEEP_USER,
    KEEP_USER,
    false,
    helper,
    onExit,
  );
  closeOnExec(fd);
  const input = new TerminalInput(fd);
  const output = new TerminalOutput(fd, { exited: promise, onOver: () => input.destroy() });
  output.on("error", () => {}); // EIO: nobody has it open any more
  const resizeTo = (toCols: number, toRows: number): void => {
    if (!output.destroyed) library.resize(fd, toCols, toRows);
  };
  return { pid, output, input, exited: promise, resize: resizeTo };
}

function loadLibrary(): { library: Library; helper: string } {
  const require = createRequire(import.meta.url);
  try {
    const place = dirname(require.resolve(`${PACKAGE}/package.json`));
    return { library: require(join(place, "pty.node")), helper: join(place, "spawn-helper") };
  } catch (error) {
    throw new WarrenError(
      "TERMINAL_LIBRARY_MISSING",
      `Terminals need ${PACKAGE}: ${messageOf(error).split("\n")[0]}.`,
      { fix: "npm install --include=optional", cause: error },
    );
  }
}

/**
 * What a terminal's program writes. Its descriptor is kept until the program has exited: whoever closes a master hangs up on the session's leader
 * (SIGHUP), also on one that has closed its terminal a moment before it exits, as cat does, or that lives on without one.
 */
class TerminalOutput extends ReadStream {
  readonly #exited: Promise<unknown>;
  readonly #onOver: () => void;

  constructor(fd: number, { exited, onOver }: { exited: Promise<unknown>; onOver: () => void }) {
    super(fd);
    this.#exited = exited;
    this.#onOver = onOver;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#onOver();
    void this.#exited.then(() => super._destroy(error, done));
  }
}

/** While a terminal is full: its program may read on at once, or never. */
const RETRY = { firstMs: 1, maxMs: 50 };

/**
 * Writes to a terminal without waiting for it. The runtime's own stream would wait (libuv's uv_tty_init cannot open a master a second time and takes to
 * blocking writes), and no event tells that there is room again: what did not fit is tried again.
 */
class TerminalInput extends Writable {
  readonly #fd: number;
  readonly #backoff = new Backoff(RETRY);

  constructor(fd: number) {
    super();
    this.#fd = fd;
    this.on("error", () => {}); // each write is told by its callback
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // The descriptor is closed then, and its number may be somebody else's.
    if (this.destroyed) return done(new WarrenError("TERMINAL_CLOSED", "The terminal is closed."));
    let count = 0;
    try {
      if (bytes.length > 0) count = writeSync(this.#fd, bytes);
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") return done(error as Error);
    }
    if (count > 0) this.#backoff.reset();
    if (count === bytes.length) return done();
    setTimeout(() => this._write(bytes.subarray(count), encoding, done), this.#backoff.nextMs());
  }
}
