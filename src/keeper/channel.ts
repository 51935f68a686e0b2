import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { readProcess } from "../platform/process.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import { encodeSize, RECORD } from "../protocol/journal-records.ts";
import type { ChannelExit, KeeperChannel, PipeOpenCall, TerminalOpenCall } from "../protocol/keeper-calls.ts";
import { decodeInput, encodeJournalEnd, encodeReply, FRAME, type Frame } from "../protocol/keeper-frames.ts";
import type { Connection } from "./connection.ts";
import { Journal } from "./journal.ts";
import { type Program, startProgram } from "./program.ts";

/**
 * One program with its journal and its lease.
 *
 * Invariants
 * 1. What the program wrote is in the journal before anybody is told; what it is given is in the journal (a pipe's) before it gets it.
 * 2. Only the epoch of the last `lease.take` steers. Bytes of a source are taken once, by their offset.
 * 3. The end is the last record, after all output; only then is it told.
 */

/** Sources that are remembered; the one that wrote longest ago is forgotten first. */
const SOURCES_MAX = 256;
/** Input that the program has not taken; past it a write is refused. Senders keep a window far below. */
const INPUT_QUEUED_BYTES_MAX = 8 * 1024 * 1024;
const DISK_FULL_RETRY_MS = 250;
/**
 * A child of the program may hold its output open, and then no end of it comes after the exit. It is waited for this many rounds, and for as many more as
 * bring something: one read takes 4 kB of a terminal, of which the system holds many times as much, and a busy one hands them over late. A child that goes
 * on writing is not waited for longer.
 */
const LAST_ROUND_MS = 100;
const LAST_ROUNDS = { min: 5, max: 50 };

export class Channel {
  readonly id: string;
  readonly number: number;
  name: string | undefined;
  /** Who has the lease. */
  server: string;
  #epoch = 1;
  #holder: Connection;
  readonly #program: Program;
  readonly #startTicks: number;
  readonly #journal: Journal;
  /** Bytes that each source has written. */
  readonly #taken = new Map<string, number>();
  /** Records that the disk has no room for. */
  readonly #unwritten: { kind: number; bytes: Buffer }[] = [];
  /** Pieces of output so far. */
  #reads = 0;
  #retry: NodeJS.Timeout | undefined;
  #stalled: string | undefined;
  #exit: ChannelExit | null = null;

  /** @throws what keeps the journal or the program from being opened; then nothing is left behind */
  constructor(call: TerminalOpenCall | PipeOpenCall, number: number, holder: Connection) {
    this.id = call.id;
    this.number = number;
    this.name = call.name;
    this.server = call.server;
    this.#holder = holder;
    const { cols, rows } = { cols: 0, rows: 0, ...call };
    this.#journal = new Journal(call, { cols, rows });
    try {
      this.#program = startProgram(call);
    } catch (error) {
      this.#journal.discard();
      throw error;
    }
    this.#startTicks = readProcess(this.#program.pid)?.startTicks ?? 0;
    for (const { kind, stream } of this.#program.outputs) {
      stream.on("data", (bytes: Buffer) => {
        this.#reads += 1;
        this.#record(kind, bytes);
      });
    }
    void this.#untilEnd(this.#program);
  }

  /** Null until the end is in the journal. */
  get exit(): ChannelExit | null {
    return this.#journal.hasEnded ? this.#exit : null;
  }

  describe(): KeeperChannel {
    const { output, input, end, size } = this.#journal;
    return {
      channel: this.number,
      id: this.id,
      ...(this.name === undefined ? {} : { name: this.name }),
      kind: this.#program.kind,
      pid: this.#program.pid,
      startTicks: this.#startTicks,
      server: this.server,
      epoch: this.#epoch,
      output,
      input,
      segment: end.number,
      segmentBytes: end.bytes,
      ...size,
      ...(this.#stalled === undefined ? {} : { stalled: this.#stalled }),
      exit: this.exit,
    };
  }

  take(server: string, holder: Connection): KeeperChannel {
    this.server = server;
    this.#holder = holder;
    this.#epoch += 1;
    return this.describe();
  }

  /** @throws STALE_EPOCH */
  check(epoch: number): this {
    if (epoch === this.#epoch) return this;
    throw new WarrenError("STALE_EPOCH", `${this.id} is steered by ${this.server} now.`);
  }

  resize({ cols, rows }: { cols: number; rows: number }): KeeperChannel {
    const size = encodeSize(cols, rows); // first: it refuses what is none
    if (!this.#exit && this.#program.resize) {
      this.#program.resize(cols, rows);
      this.#journal.size = { cols, rows };
      this.#record(RECORD.size, size);
    }
    return this.describe();
  }

  signal({ signal, foreground = false }: { signal: number; foreground?: boolean }): { done: true } {
    const { pid } = this.#program;
    const group = foreground ? (readProcess(pid)?.foregroundGroup ?? 0) : 0;
    if (!this.#exit) process.kill(group > 0 ? -group : pid, signal); // later its pid may be somebody else's
    return { done: true };
  }

  bytesOf = (source: string): number => this.#taken.get(source) ?? 0;

  endInput(): { done: true } {
    if (this.#program.kind === "pipe") this.#program.input.end();
    return { done: true };
  }

  /** What a write frame brings; bytes that were taken before are passed over. */
  write({ offset, payload }: Frame, from: Connection): void {
    const { epoch, source, bytes } = decodeInput(payload);
    const taken = this.bytesOf(source);
    const start = Number(offset);
    const refuse = (code: string, error = `${this.id} does not take it.`): void =>
      from.send(FRAME.refused, this.number, taken, encodeReply(source, { code, error }));
    if (epoch !== this.#epoch) return refuse("STALE_EPOCH");
    if (this.#exit) return refuse("PROGRAM_ENDED");
    if (start > taken) return refuse("INPUT_GAP");
    const { input, kind } = this.#program;
    if (!input.writable) return refuse("INPUT_CLOSED");
    if (input.writableLength > INPUT_QUEUED_BYTES_MAX) return refuse("INPUT_FULL");
    const fresh = bytes.subarray(taken - start);
    try {
      if (kind === "pipe" && fresh.length > 0) this.#recordInput(source, fresh);
    } catch (error) {
      return refuse("JOURNAL_FAILED", messageOf(error));
    }
    this.#remember(source, taken + fresh.length);
    // Bytes that were taken before are acknowledged behind those that wait still.
    input.write(fresh, (error) => {
      if (error) refuse("INPUT_CLOSED", messageOf(error));
      else from.send(FRAME.ack, this.number, taken + fresh.length, encodeReply(source));
    });
  }

  #recordInput(source: string, bytes: Uint8Array): void {
    this.#journal.append(RECORD.input, Buffer.concat([Buffer.from(source, "hex"), bytes]));
    this.#holder.ring(this.#bell);
  }

  #remember(source: string, bytes: number): void {
    this.#taken.delete(source); // the one that wrote last goes to the end
    this.#taken.set(source, bytes);
    if (this.#taken.size > SOURCES_MAX) this.#taken.delete(this.#taken.keys().next().value!);
  }

  #record(kind: number, bytes: Buffer): void {
    this.#unwritten.push({ kind, bytes });
    this.#flush();
  }

  /** While the disk is full the program waits in its full terminal, and others go on. */
  #flush(): void {
    clearTimeout(this.#retry);
    this.#stalled = undefined;
    const streams = this.#program.outputs.map(({ stream }) => stream);
    try {
      for (let next = this.#unwritten[0]; next; next = this.#unwritten[0]) {
        this.#journal.append(next.kind, next.bytes);
        this.#unwritten.shift();
      }
    } catch (error) {
      this.#stalled = messageOf(error);
      for (const stream of streams) stream.pause();
      this.#retry = setTimeout(() => this.#flush(), DISK_FULL_RETRY_MS);
      return;
    }
    for (const stream of streams) if (stream.isPaused()) stream.resume();
    this.#holder.ring(this.#bell);
  }

  #bell = (holder: Connection): void => {
    if (holder !== this.#holder) return;
    const { output, end } = this.#journal;
    holder.send(FRAME.output, this.number, output, encodeJournalEnd(end.number, end.bytes));
    if (this.exit) holder.send(FRAME.exit, this.number, output, Buffer.from(JSON.stringify(this.exit)));
  };

  async #untilEnd({ exited, outputs }: Program): Promise<void> {
    const closed = Promise.all(outputs.map(({ stream }) => new Promise((resolve) => stream.on("close", resolve))));
    this.#exit = { ...(await exited), at: new Date().toISOString() };
    await this.#lastOutput(closed);
    for (const { stream } of outputs) stream.destroy();
    this.#record(RECORD.end, Buffer.from(JSON.stringify(this.#exit)));
  }

  async #lastOutput(closed: Promise<unknown>): Promise<void> {
    let isClosed = false;
    const nowClosed = closed.then(() => {
      isClosed = true;
    });
    for (let round = 1; !isClosed && round <= LAST_ROUNDS.max; round += 1) {
      const reads = this.#reads;
      // What came while we were busy is read before it is over: timers come first.
      await Promise.race([nowClosed, delay(LAST_ROUND_MS).then(() => turn())]);
      if (this.#unwritten.length > 0)
        round = 0; // nothing is read while the disk is full
      else if (round >= LAST_ROUNDS.min && this.#reads === reads) return;
    }
    while (this.#unwritten.length > 0) await delay(LAST_ROUND_MS);
  }
}
