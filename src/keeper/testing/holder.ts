import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KeeperConnection } from "../../local/keeper-client.ts";
import type {
  ChannelExit,
  ChannelSpec,
  KeeperAnswers,
  KeeperCall,
  KeeperChannel,
} from "../../protocol/keeper-calls.ts";
import { decodeReply, FRAME, type Frame, type Input } from "../../protocol/keeper-frames.ts";

/** For tests: one that holds leases, as a server does, and remembers what it was told. */

const DEADLINE_MS = 30_000;

export interface Reply {
  /** What the source has written. */
  bytes: number;
  /** Undefined when it was taken. */
  code?: string;
}

export type Opened = Partial<ChannelSpec> & { cols?: number; rows?: number };

export class Holder {
  /** All frames about channels so far. */
  readonly frames: Frame[] = [];
  readonly #connection: KeeperConnection;
  readonly #directory: string;
  readonly #onProgram: (pid: number) => void;
  readonly #waiters = new Set<() => void>();
  #isClosed = false;

  static async connect(path: string, directory: string, onProgram: (pid: number) => void): Promise<Holder> {
    const connection = await KeeperConnection.connect(path);
    if (!connection) throw new Error(`no keeper at ${path}`);
    return new Holder(connection, directory, onProgram);
  }

  private constructor(connection: KeeperConnection, directory: string, onProgram: (pid: number) => void) {
    this.#connection = connection;
    this.#directory = directory;
    this.#onProgram = onProgram;
    const wake = (): void => {
      for (const waiter of this.#waiters) waiter();
    };
    connection.listen({
      onFrame: (frame) => {
        this.frames.push(frame);
        wake();
      },
      onClose: () => {
        this.#isClosed = true;
        wake();
      },
    });
  }

  call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> {
    return this.#connection.call(call);
  }

  /** A shell script on a terminal; its journal is in `journal-<id>` unless told otherwise. */
  terminal(id: string, script: string, spec: Opened = {}): Promise<KeeperChannel> {
    const call = { call: "terminal.open", cols: 80, rows: 24, ...this.#spec(id, script, spec) } as const;
    return this.#opened(this.call(call));
  }

  /** A shell script on pipes. */
  pipe(id: string, script: string, spec: Opened = {}): Promise<KeeperChannel> {
    return this.#opened(this.call({ call: "pipe.open", ...this.#spec(id, script, spec) }));
  }

  journalDir = (id: string): string => join(this.#directory, `journal-${id}`);

  write(channel: number, input: Omit<Input, "bytes"> & { offset: number; text: string | Uint8Array }): void {
    this.#connection.write(channel, { ...input, bytes: Buffer.from(input.text as string) });
  }

  /** Writes, and resolves with what the keeper says of it. One at a time for a source. */
  async reply(channel: number, input: Omit<Input, "bytes"> & { offset: number; text: string | Uint8Array }) {
    const from = this.frames.length;
    this.write(channel, input);
    return this.replyFrom(channel, input.source, from);
  }

  async replyFrom(channel: number, source: string, from: number): Promise<Reply> {
    const isReply = (frame: Frame): boolean =>
      (frame.type === FRAME.ack || frame.type === FRAME.refused) &&
      frame.channel === channel &&
      decodeReply(frame.payload).source === source;
    const { offset, payload } = await this.frame(isReply, from);
    const { refusal } = decodeReply(payload);
    return { bytes: Number(offset), ...(refusal ? { code: refusal.code } : {}) };
  }

  /** How the program of the channel ended, once it is told. */
  async exit(channel: number): Promise<ChannelExit> {
    const frame = await this.frame(({ type, channel: of }) => type === FRAME.exit && of === channel);
    return JSON.parse(Buffer.from(frame.payload).toString());
  }

  /** The first frame from the `from`th on that is it, waited for if need be. */
  async frame(isIt: (frame: Frame) => boolean, from = 0): Promise<Frame> {
    let at = from;
    const next = (): Frame | undefined => {
      while (at < this.frames.length) {
        const frame = this.frames[at++]!;
        if (isIt(frame)) return frame;
      }
      if (this.#isClosed) throw new Error("the keeper has closed the connection");
    };
    return this.#until(next);
  }

  /** Resolves with what `look` finds, which is asked again whenever the keeper rings for the channel. */
  async rung<T>(channel: number, look: () => T | undefined): Promise<T> {
    const found = look();
    if (found !== undefined) return found;
    for (let from = this.frames.length; ; ) {
      await this.frame((frame) => frame.channel === channel && frame.type === FRAME.output, from);
      from = this.frames.length;
      const now = look();
      if (now !== undefined) return now;
    }
  }

  close(): void {
    this.#connection.close();
  }

  #spec(id: string, script: string, spec: Opened): ChannelSpec & Opened {
    const journalDir = spec.journalDir ?? this.journalDir(id);
    mkdirSync(journalDir, { recursive: true });
    return {
      id,
      server: "blazing",
      command: ["/bin/sh", "-c", script],
      directory: this.#directory,
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
      journalBytesMax: 0,
      ...spec,
      journalDir,
    };
  }

  async #opened(opening: Promise<KeeperChannel>): Promise<KeeperChannel> {
    const channel = await opening;
    this.#onProgram(channel.pid);
    return channel;
  }

  #until<T>(next: () => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      try {
        const found = next();
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => reject(new Error("the keeper did not say it in time")), DEADLINE_MS);
    this.#waiters.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiters.delete(look);
    });
  }
}
