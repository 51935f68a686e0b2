/** The bounds of a connection to a hub, the same at both of its kinds of members where they do not say otherwise. */
export interface ContactLimits {
  /** From a dialled address to the welcome; past it the next address is tried. */
  contactMs: number;
  /** A hub's answer to a request; past it the connection is given up. */
  answerMs: number;
  /** Silence after which the other end is pinged, and how long its answer may take; then it is lost. */
  silenceMs: number;
  pongMs: number;
  /** The delay before a hub is dialled again: any up to this one, which doubles each time, up to the most. */
  retryFirstMs: number;
  retryMostMs: number;
  /** The same after a refusal that no waiting mends. */
  retryRefusedMs: number;
  /** A hub's frames and bytes; past them it is not read for the rest of the second. Where the wire cannot wait: past ten times as much, here and in `unreadBytes`, it is closed. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** Bytes of a hub that came and were not looked at yet; past them it is not read. */
  unreadBytes: number;
  /** Channels that others have opened to this member; past them it is no hub that keeps its word, and the connection is given up. */
  channels: number;
  /** Bytes of all channels that came and are not done with; past them the same. */
  heldBytes: number;
}

const SECOND_MS = 1_000;
const MIB = 1024 * 1024;

export const CONTACT_LIMITS: ContactLimits = {
  contactMs: 10 * SECOND_MS,
  answerMs: 10 * SECOND_MS,
  silenceMs: 4 * SECOND_MS,
  pongMs: 4 * SECOND_MS,
  retryFirstMs: SECOND_MS,
  retryMostMs: 30 * SECOND_MS,
  retryRefusedMs: 300 * SECOND_MS,
  framesPerSecond: 2_000,
  bytesPerSecond: 8 * MIB,
  unreadBytes: MIB,
  channels: 2_048,
  heldBytes: 32 * MIB,
};
