import type { Dial } from "../../client/client.ts";
import type { DialBytes } from "../../client/terminal-world.ts";

/** A machine as the app reaches it: on loopback, or through hubs. Everything above knows no more of the way than this. */
export interface Machine {
  /** The same for as long as the machine is known here. */
  readonly id: string;
  readonly name: string;
  /** Lines to the server that has the target (`primary`, or a session's id). Waits while the way is made anew. */
  dialLines(target?: string): Dial;
  /** Bytes, for a terminal. */
  dialBytes(target: string): DialBytes;
  /** Told at once, and whenever it changes; the answer ends that. */
  watch(listener: (way: Way) => void): () => void;
  /** Somebody is here and waits: the next try is now. */
  hurry(): void;
  close(): void;
}

/** `refused`: this browser is not let in (any more). */
export type Way = { kind: "connecting" } | { kind: "live" } | { kind: "away" } | { kind: "refused" };
