import type { DebugFrame } from "../../protocol/debug.ts";
import { messages } from "../../protocol/messages.ts";
import { TERMINAL_FRAME, TERMINAL_HEADER_BYTES, TERMINAL_PAYLOAD_BYTES_MAX } from "../../protocol/terminal-frames.ts";

/**
 * What may be told of a message: what it is, how long, where in a stream. Never a value that came from a person, a program or an environment: of those
 * only the kind and the size. A name that is not ours counts as a value.
 */
export type Described = Omit<DebugFrame, "at" | "client">;

/** Fields of a payload that are named; the rest are counted. */
const FIELDS_MAX = 32;
/** A field's own name is ours, or somebody's mistake: then it is not told at length. */
const FIELD_NAME = /^[a-z_]{1,40}$/;

export function describeLine(direction: "in" | "out", line: string): Described {
  const bytes = Buffer.byteLength(line) + 1;
  const base = { direction, kind: "line", bytes } as const;
  const message = parsed(line);
  if (!message) return { ...base, type: "no JSON object" };
  const { id, type, success, code, event, stream, seq } = message;
  const inside = message.payload ?? message.data;
  return {
    ...base,
    type: direction === "in" ? requestName(type) : answerName(event),
    ...(typeof id === "number" ? { id } : typeof id === "string" ? { id: `string(${id.length})` } : {}),
    ...(direction === "out" && typeof success === "boolean" ? { success } : {}),
    ...(direction === "out" && typeof code === "string" ? { code } : {}),
    ...(direction === "out" && typeof stream === "string" ? { stream } : {}),
    ...(direction === "out" && typeof seq === "number" ? { seq } : {}),
    ...(isObject(inside) ? { shape: shapeOf(inside) } : {}),
  };
}

/** `bytes` begins with the frame's header. */
export function describeFrame(direction: "in" | "out", bytes: Uint8Array): Described {
  const type = bytes[0] ?? 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const hasPosition = WITH_POSITION.has(type) && bytes.length >= TERMINAL_HEADER_BYTES + 8;
  return {
    direction,
    kind: "frame",
    type: FRAME_NAMES.get(type) ?? `type ${type}`,
    bytes: TERMINAL_HEADER_BYTES + (bytes.length >= TERMINAL_HEADER_BYTES ? view.getUint32(1) : 0),
    ...(hasPosition ? { position: Number(view.getBigUint64(TERMINAL_HEADER_BYTES)) } : {}),
  };
}

/** Finds the frames in what an attached client sends, without keeping their bytes. Who begins to watch in the middle of one sees it as `bytes`. */
export class IncomingFrames {
  /** Of a frame whose end has not come. */
  #leftBytes = 0;

  push(chunk: Uint8Array): Described[] {
    const found: Described[] = [];
    let at = Math.min(this.#leftBytes, chunk.length);
    this.#leftBytes -= at;
    while (at < chunk.length) {
      const rest = chunk.subarray(at);
      const length = frameLengthOf(rest);
      if (length === undefined) {
        found.push({ direction: "in", kind: "frame", type: "bytes", bytes: rest.length });
        break;
      }
      found.push(describeFrame("in", rest));
      this.#leftBytes = Math.max(0, length - rest.length);
      at += length;
    }
    return found;
  }
}

const FRAME_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TERMINAL_FRAME).map(([name, type]) => [type, name]),
);
const WITH_POSITION: ReadonlySet<number> = new Set([
  TERMINAL_FRAME.output,
  TERMINAL_FRAME.input,
  TERMINAL_FRAME.screen,
  TERMINAL_FRAME.ack,
]);

/** Undefined when no frame begins there, or not enough of it is there to say. */
function frameLengthOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < TERMINAL_HEADER_BYTES || !FRAME_NAMES.has(bytes[0]!)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
  return length > TERMINAL_PAYLOAD_BYTES_MAX ? undefined : TERMINAL_HEADER_BYTES + length;
}

function shapeOf(value: Record<string, unknown>): Record<string, string> {
  const shape: Record<string, string> = {};
  let otherCount = 0;
  for (const [name, field] of Object.entries(value)) {
    if (FIELD_NAME.test(name) && Object.keys(shape).length < FIELDS_MAX) shape[name] = kindOf(field);
    else otherCount += 1;
  }
  return otherCount > 0 ? { ...shape, "…": `${otherCount} more` } : shape;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return `string(${value.length})`;
  if (Array.isArray(value)) return `array(${value.length})`;
  if (isObject(value)) return `object(${Object.keys(value).length})`;
  return value === null ? "null" : typeof value;
}

const requestName = (type: unknown): string =>
  typeof type === "string" && Object.hasOwn(messages, type) ? type : "unknown type";

const answerName = (event: unknown): string => (typeof event === "string" ? `event ${event}` : "answer");

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
