import { closeSync } from "node:fs";
import type { ResponseWriter } from "../proxy/responder.ts";
import { type FilePart, filePieces } from "./read-file.ts";

export type FileSink = Pick<ResponseWriter, "write" | "ready" | "isOpen">;

/**
 * Sends a part of an open file at the client's pace, and closes the file whatever happens. Resolves to whether all was sent; when it was not, the client has gone,
 * or the file cannot be read to its promised end (`error`): then the answer has to be cut, since a length was promised.
 */
export async function sendFile(part: FilePart, sink: FileSink): Promise<{ isWhole: boolean; error?: unknown }> {
  try {
    for await (const piece of filePieces(part)) {
      if (!sink.isOpen) return { isWhole: false };
      if (piece.length > 0 && !sink.write(piece)) await sink.ready();
    }
    return { isWhole: true };
  } catch (error) {
    return { isWhole: false, error };
  } finally {
    closeSync(part.fd);
  }
}
