import { read, readSync } from "node:fs";
import { promisify } from "node:util";
import { WarrenError } from "../../protocol/errors.ts";
import { HtmlInjection } from "../live/html-injection.ts";

/** What is read at once, and kept in memory until it is sent. Larger files are read piece by piece, as fast as the client takes them. */
export const SMALL_BYTES_MAX = 64 * 1024;

/** A part of a small file; undefined when the file has become shorter meanwhile. */
export function readSmall(fd: number, start: number, lengthBytes: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  for (let at = 0; at < lengthBytes; ) {
    const count = readSync(fd, bytes, at, lengthBytes - at, start + at);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}

/** What is read at a time of a larger file: half of what one side may be ahead of the other. */
const PIECE_BYTES = 128 * 1024;

/**
 * A part of an open file, piece by piece, each read when the one before was taken. The descriptor stays open: who asks closes it.
 * @throws FILE_SHRANK when the file has become shorter than was promised: the answer has to be cut, not completed.
 */
export async function* filePieces({ fd, start, lengthBytes, injected }: FilePart): AsyncGenerator<Buffer, void, void> {
  const injection = injected === undefined ? undefined : new HtmlInjection(injected);
  for (let at = 0; at < lengthBytes; ) {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, lengthBytes - at));
    const { bytesRead } = await readAt(fd, { buffer, position: start + at });
    if (bytesRead === 0) throw fileShrank(start + lengthBytes, start + at);
    at += bytesRead;
    const piece = buffer.subarray(0, bytesRead);
    yield injection === undefined ? piece : injection.push(piece);
  }
  if (injection !== undefined) yield injection.end();
}

export interface FilePart {
  fd: number;
  start: number;
  lengthBytes: number;
  /** Put before the end of the HTML that the file is. */
  injected: Buffer | undefined;
}

const readAt = promisify(read);

const fileShrank = (promisedBytes: number, sizeBytes: number) =>
  new WarrenError("FILE_SHRANK", `A file of ${promisedBytes} bytes became ${sizeBytes} bytes long while it was sent.`);
