import type { ChannelExit, KeeperAnswers, KeeperCall } from "../protocol/keeper-calls.ts";

/** Where the journal of a channel ends. */
export interface JournalEnd {
  /** Bytes of output. */
  output: number;
  segment: number;
  segmentBytes: number;
}

/** What the keeper tells of one channel. */
export interface ChannelEvents {
  onOutput(end: JournalEnd): void;
  onExit(exit: ChannelExit): void;
  /** `bytes`: all that the source has written has been taken. */
  onAck(source: string, bytes: number): void;
  /** The write was not taken: an old epoch (another server steers it now), an ended program, a gap. */
  onRefused(source: string, bytes: number, code: string): void;
}

export interface ChannelWrite {
  epoch: number;
  /** Who writes: 16 hex digits. */
  source: string;
  /** Bytes that it has written before. */
  offset: number;
  bytes: Uint8Array;
}

/** The keeper as the sessions see it; the real one is a connection of the server's. */
export interface KeeperPort {
  call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]>;
  write(channel: number, write: ChannelWrite): void;
  /** Events of that channel go there from now on. */
  listen(channel: number, events: ChannelEvents): void;
  forget(channel: number): void;
}
