import type { DebugFrame } from "../../protocol/debug.ts";
import { TERMINAL_FRAME, TERMINAL_HEADER_BYTES } from "../../protocol/terminal-frames.ts";
import { describeFrame, describeLine, IncomingFrames } from "./redact.ts";

/**
 * What is known of one client's connection: who it says it is, how much went through it. Counting takes an addition a message; messages are looked at
 * only while somebody watches.
 */
export type TellFrame = (frame: DebugFrame) => void;

export class ConnectionMeter {
  /** From 1, in the order in which clients came. */
  readonly id: number;
  readonly sinceMs: number;
  /** From its greeting. */
  greeting: { client: string; version?: string | undefined; pid?: number } | undefined;
  attached: { session: string; role: "client" | "viewer"; label?: string } | undefined;
  lineInCount = 0;
  lineOutCount = 0;
  frameOutCount = 0;
  screenOutCount = 0;
  skippedBytes = 0;
  readonly #watchers = new Set<TellFrame>();
  #incoming: IncomingFrames | undefined;
  /** Where its last frame of output or its last screen ended. */
  #shownTo: number | undefined;

  constructor(id: number, nowMs: number) {
    this.id = id;
    this.sinceMs = nowMs;
  }

  /** Tells of each message from now on; the answer ends that. */
  watch(tell: TellFrame): () => void {
    this.#watchers.add(tell);
    return () => {
      this.#watchers.delete(tell);
      if (this.#watchers.size === 0) this.#incoming = undefined;
    };
  }

  lineIn(line: string): void {
    this.lineInCount += 1;
    if (this.#watchers.size > 0) this.#tell(describeLine("in", line));
  }

  lineOut(line: string): void {
    this.lineOutCount += 1;
    if (this.#watchers.size > 0) this.#tell(describeLine("out", line));
  }

  /** Bytes of an attached client; frames may begin and end anywhere in them. */
  bytesIn(bytes: Uint8Array): void {
    if (this.#watchers.size === 0) return;
    this.#incoming ??= new IncomingFrames();
    for (const frame of this.#incoming.push(bytes)) this.#tell(frame);
  }

  /** One whole frame. */
  frameOut(bytes: Uint8Array): void {
    this.frameOutCount += 1;
    const type = bytes[0];
    if (type === TERMINAL_FRAME.output || type === TERMINAL_FRAME.screen) this.#follow(type, bytes);
    if (this.#watchers.size > 0) this.#tell(describeFrame("out", bytes));
  }

  #follow(type: number, bytes: Uint8Array): void {
    const position = positionIn(bytes);
    if (type === TERMINAL_FRAME.output) {
      this.#shownTo = position + bytes.length - TERMINAL_HEADER_BYTES - POSITION_BYTES;
      return;
    }
    this.screenOutCount += 1;
    if (this.#shownTo !== undefined) this.skippedBytes += Math.max(0, position - this.#shownTo);
    this.#shownTo = position;
  }

  #tell(frame: Omit<DebugFrame, "at" | "client">): void {
    const told: DebugFrame = { at: new Date().toISOString(), client: this.id, ...frame };
    for (const tell of this.#watchers) tell(told);
  }
}

const POSITION_BYTES = 8;

/** `offset u64` behind the header. */
function positionIn(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint32(TERMINAL_HEADER_BYTES) * 2 ** 32 + view.getUint32(TERMINAL_HEADER_BYTES + 4);
}
