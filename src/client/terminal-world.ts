import type { WarrenError } from "../protocol/errors.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { TerminalControl } from "../protocol/terminal-frames.ts";

/** What a `TerminalClient` needs of the world, and what it tells. */

export interface ByteWire {
  send(bytes: Uint8Array): void;
  /** Stops and goes on reading, where the wire can; so a slow terminal does not pile up output here. */
  pause(): void;
  resume(): void;
  /** Closes after what was sent. */
  close(): void;
}

export interface ByteWireEvents {
  onBytes(bytes: Uint8Array): void;
  /** The wire is gone; called once, also after `close()`. */
  onClose(): void;
}

/**
 * Opens a wire to the server that has the session now. A typed error says that there is none to be had, and is believed; SESSION_NOT_FOUND only
 * after a while, since a session that moves is for a moment nowhere. Every other error is tried again.
 */
export type DialBytes = (events: ByteWireEvents) => Promise<ByteWire>;

export interface TerminalClock {
  /** Milliseconds from some fixed moment; never goes back. */
  nowMs(): number;
  /** The answer cancels it. */
  timer(delayMs: number, task: () => void): () => void;
}

export interface TerminalEvents {
  onOutput(bytes: Uint8Array): void;
  /** The whole screen; `skippedBytes` of output since what was shown last are only in it, not before it. */
  onScreen(bytes: Uint8Array, skippedBytes: number): void;
  onEnd(outcome: Outcome): void;
  onFailed(error: WarrenError): void;
  onControl?(control: TerminalControl): void;
  /** At the first attach and after each reconnect, before its first screen or output. */
  onAttached?(data: DataOf<"session.attach">): void;
  onConnection?(state: "lost" | "back"): void;
  /** `type` answered false, and there is room again. */
  onRoom?(): void;
}

export interface TerminalSize {
  cols: number;
  rows: number;
}

export interface TerminalClientOptions {
  dial: DialBytes;
  /** By name or id; an id survives a rename. */
  session: string;
  /** What errors call it; default: `session`. */
  title?: () => string;
  /** It is known to be there, so that not finding it at first is a matter of time. Default: false. */
  isKnown?: boolean;
  name: string;
  version: string;
  /** 16 hex digits, of this terminal alone. */
  clientId: string;
  /** Shown to others as who types. */
  label?: string;
  /** Look only. */
  isViewer?: boolean;
  size: TerminalSize;
  events: TerminalEvents;
  clock?: TerminalClock;
  /** 0–1, for the jitter of the delays. */
  random?: () => number;
}

export const terminalClock: TerminalClock = {
  nowMs: () => performance.now(),
  timer(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return () => clearTimeout(handle);
  },
};
