import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";

/**
 * Our end of what `standby.cjs` says: makes a process that waits into a version of its worker.
 *
 * - `loaded`: its modules have been evaluated. Whether it answers on HTTP is another question.
 * - `failed`: it ends by this error; the stack names the sources.
 * - `silent`: it said nothing any more: its evaluation has ended the process, or the process was killed.
 * - `absent`: nothing was loaded, so another process can be given the same code.
 */
export type StandbyAnswer =
  | { kind: "loaded"; tookMs: number }
  | { kind: "failed"; message: string; stack: string; code?: string }
  | { kind: "silent" }
  | { kind: "absent"; error: WarrenError };

export interface StandbyOrder {
  /** The artefact: an absolute path, .mjs or .cjs. */
  load: string;
  /** Set (or, with null, unset) before it is loaded. */
  env?: Record<string, string | null>;
}

const LINE_BYTES_MAX = 4 * 1024 * 1024;

/** Resolves with what becomes of it, which may take as long as the worker's own top level awaits. `signal` stops the waiting, not the loading. */
export async function loadInto(
  socketPath: string,
  { load, env = {} }: StandbyOrder,
  signal: AbortSignal,
): Promise<StandbyAnswer> {
  signal.throwIfAborted();
  const socket = connect(socketPath);
  const close = () => socket.destroy();
  signal.addEventListener("abort", close, { once: true });
  try {
    await once(socket, "connect", { signal });
    socket.write(`${JSON.stringify({ load, env })}\n`);
    const answer = await answered(socket);
    signal.throwIfAborted();
    return answer ?? { kind: "absent", error: gone(socketPath, "it closed the connection") };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "absent", error: gone(socketPath, messageOf(error)) };
  } finally {
    signal.removeEventListener("abort", close);
    socket.destroy();
  }
}

interface Said {
  loaded?: boolean;
  tookMs?: number;
  failed?: { message: string; stack: string; code?: string };
}

/** Undefined: it closed before it began to load. */
async function answered(socket: Socket): Promise<StandbyAnswer | undefined> {
  const splitter = new LineSplitter(LINE_BYTES_MAX);
  let isLoading = false;
  try {
    for await (const chunk of socket) {
      for (const line of splitter.push(chunk as Buffer)) {
        const said = JSON.parse(line) as Said;
        if (said.failed) return { kind: "failed", ...said.failed };
        if (said.loaded) return { kind: "loaded", tookMs: said.tookMs ?? 0 };
        isLoading = true;
      }
    }
  } catch (error) {
    if (!isLoading) throw error;
  }
  return isLoading ? { kind: "silent" } : undefined;
}

const gone = (socketPath: string, reason: string): WarrenError =>
  new WarrenError("STANDBY_GONE", `The process that waits at ${socketPath} cannot be told what to run: ${reason}.`);
