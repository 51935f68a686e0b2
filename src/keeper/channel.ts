import type { Socket } from "node:net";
import { readProcess } from "../platform/process.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import { encodeSize, INPUT_SOURCE_BYTES, RECORD } from "../protocol/journal-records.ts";
import type {
  ChannelExit,
  ChannelSpec,
  KeeperChannel,
  PipeOpenCall,
  TerminalOpenCall,
} from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME, type Frame } from "../protocol/keeper-frames.ts";
import { Journal } from "./journal.ts";
import { openPipe, openTerminal, type Program } from "./program.ts";

/**
 * One program with its journal and its lease.
 *
 * Invariants
 * 1. What the program wrote is in the journal before anybody is told; what it is given is in the journal (a pipe's) before it gets it.
 * 2. Only the epoch of the last `lease.take` steers. Bytes of a source are taken once, by their offset.
 * 3. The end is the last record, after all output.
 */
/** Sources that are remembered; the one that wrote longest ago is forgotten first. */
const SOURCES_MAX = 256;
const DISK_FULL_RETRY_MS = 250;

export class Channel {
  readonly spec: ChannelSpec;
  readonly number: number;
  name: string | undefined;
  exit: ChannelExit | null = null;
  #server: string;
  #epoch = 1;
  #holder: Socket | undefined;
  #program!: Program;
  #startTicks = 0;
  readonly #journal: Journal;
  readonly #sources = new Map<bigint, number>();
  #isRinging = false;
  /** Output that the disk had no room for. */
  readonly #unwritten: { kind: number; bytes: Buffer }[] = [];
  #retry: NodeJS.Timeout | undefined;

  static async open(call: TerminalOpenCall | PipeOpenCall, number: number, holder: Socket): Promise<Channel> {
    const channel = new Channel(call, number, holder);
    const events = {
      onOutput: (bytes: Buffer) => channel.#write(RECORD.output, bytes),
      onErrors: (bytes: Buffer) => channel.#write(RECORD.errors, bytes),
      onExit: (exit: Omit<ChannelExit, "at">) => channel.#onExit({ ...exit, at: new Date().toISOString() }),
    };
    try {
      channel.#program =
        call.call === "terminal.open" ? await openTerminal(call, events) : await openPipe(call, events);
    } catch (error) {
      channel.#journal.close();
      throw error;
    }
    channel.#startTicks = readProcess(channel.#program.pid)?.startTicks ?? 0;
    return channel;
  }

  private constructor(call: TerminalOpenCall | PipeOpenCall, number: number, holder: Socket) {
    this.spec = call;
    this.number = number;
    this.name = call.name;
    this.#server = call.server;
    this.#holder = holder;
    const { journalDir, journalBytesMax, startOutput = 0, startInput = 0, startSegment = 1 } = call;
    const size = call.call === "terminal.open" ? { cols: call.cols, rows: call.rows } : { cols: 0, rows: 0 };
    this.#journal = new Journal(
      { dir: journalDir, bytesMax: journalBytesMax, segment: startSegment, size },
      { output: startOutput, input: startInput },
    );
  }

  describe(): KeeperChannel {
    const { offsets, segment, segmentBytes, size } = this.#journal;
    return {
      channel: this.number,
      id: this.spec.id,
      ...(this.name === undefined ? {} : { name: this.name }),
      kind: this.#program.kind,
      pid: this.#program.pid,
      startTicks: this.#startTicks,
      server: this.#server,
      epoch: this.#epoch,
      ...offsets,
      segment,
      segmentBytes,
      ...size,
      exit: this.exit,
    };
  }

  isHeldBy = (server: string): boolean => this.#server === server;

  take(server: string, holder: Socket): KeeperChannel {
    this.#server = server;
    this.#holder = holder;
    this.#epoch += 1;
    this.#isRinging = false; // the bell may wait for a holder that has gone
    return this.describe();
  }

  /** @throws STALE_EPOCH */
  check(epoch: number): this {
    if (epoch === this.#epoch) return this;
    throw new WarrenError("STALE_EPOCH", `${this.spec.id} is steered by ${this.#server} now.`);
  }

  resize(cols: number, rows: number): KeeperChannel {
    if (!this.exit) {
      this.#program.resize(cols, rows);
      this.#journal.size = { cols, rows }; // with which a next segment would begin
      this.#write(RECORD.size, encodeSize(cols, rows));
    }
    return this.describe();
  }

  signal(signal: number, isForeground: boolean): void {
    const { pid } = this.#program;
    const group = isForeground ? (readProcess(pid)?.foregroundGroup ?? 0) : 0;
    if (this.exit) return;
    process.kill(group > 0 ? -group : pid, signal);
  }

  bytesOf = (source: bigint): number => this.#sources.get(source) ?? 0;

  endInput(): void {
    if (this.#program.kind === "pipe") this.#program.input.end();
  }

  /** A write frame: `epoch u32 | source u64 | bytes`. */
  input({ offset, payload }: Frame, from: Socket): void {
    const bytes = Buffer.from(payload);
    const source = bytes.readBigUInt64BE(4);
    const start = Number(offset);
    const end = start + bytes.length - 12;
    const taken = this.bytesOf(source);
    const problem =
      bytes.readUInt32BE(0) !== this.#epoch
        ? "STALE_EPOCH"
        : this.exit
          ? "PROGRAM_ENDED"
          : start > taken
            ? "INPUT_GAP"
            : "";
    const reply = (type: number, at: number, more = ""): void => {
      const head = Buffer.from(bytes.subarray(4, 12));
      if (!from.destroyed)
        from.write(
          encodeFrame({
            type,
            channel: this.number,
            offset: BigInt(at),
            payload: Buffer.concat([head, Buffer.from(more)]),
          }),
        );
    };
    if (problem)
      return reply(FRAME.refused, taken, JSON.stringify({ code: problem, error: `${this.spec.id}: ${problem}` }));
    if (end <= taken) return reply(FRAME.ack, taken);
    const fresh = bytes.subarray(12 + taken - start);
    if (this.#program.kind === "pipe") {
      const record = Buffer.concat([bytes.subarray(4, 4 + INPUT_SOURCE_BYTES), fresh]);
      try {
        this.#journal.append(RECORD.input, record);
      } catch (error) {
        return reply(
          FRAME.refused,
          taken,
          JSON.stringify({ code: systemCode(error) ?? "JOURNAL_FAILED", error: String(error) }),
        );
      }
      this.#ring();
    }
    this.#sources.delete(source); // the one that wrote last goes to the end
    this.#sources.set(source, end);
    if (this.#sources.size > SOURCES_MAX) this.#sources.delete(this.#sources.keys().next().value!);
    this.#program.input.write(fresh, () => reply(FRAME.ack, end));
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#journal.close();
  }

  #write(kind: number, bytes: Buffer): void {
    this.#unwritten.push({ kind, bytes });
    this.#flush();
  }

  /** On a full disk the oldest of the journal goes; when that does not help, the program waits in its full terminal. */
  #flush(): void {
    clearTimeout(this.#retry);
    for (let next = this.#unwritten[0]; next; next = this.#unwritten[0]) {
      try {
        this.#journal.append(next.kind, next.bytes);
      } catch {
        if (this.#journal.dropOldest()) continue;
        for (const output of this.#program?.outputs ?? []) output.pause();
        this.#retry = setTimeout(() => this.#flush(), DISK_FULL_RETRY_MS);
        return;
      }
      this.#unwritten.shift();
    }
    for (const output of this.#program?.outputs ?? []) if (output.isPaused()) output.resume();
    this.#ring();
  }

  /** At most once a turn of the event loop; a holder that does not read gets one when it does. */
  #ring(): void {
    if (this.#isRinging) return;
    this.#isRinging = true;
    setImmediate(() => {
      this.#isRinging = false;
      const holder = this.#holder;
      if (!holder || holder.destroyed) return;
      if (holder.writableNeedDrain) {
        this.#isRinging = true;
        holder.once("drain", () => {
          this.#isRinging = false;
          this.#ring();
        });
        return;
      }
      const payload = Buffer.alloc(8);
      payload.writeUInt32BE(this.#journal.segment, 0);
      payload.writeUInt32BE(this.#journal.segmentBytes, 4);
      holder.write(
        encodeFrame({
          type: FRAME.output,
          channel: this.number,
          offset: BigInt(this.#journal.offsets.output),
          payload,
        }),
      );
      if (this.exit) this.#tellExit(holder);
    });
  }

  #onExit(exit: ChannelExit): void {
    this.exit = exit;
    this.#write(RECORD.end, Buffer.from(JSON.stringify(exit)));
  }

  #tellExit(holder: Socket): void {
    const payload = Buffer.from(JSON.stringify(this.exit));
    holder.write(
      encodeFrame({ type: FRAME.exit, channel: this.number, offset: BigInt(this.#journal.offsets.output), payload }),
    );
  }
}
