/** The bounds of the device's side, each with what happens there. */

const SECOND_MS = 1_000;

export interface DeviceLimits {
  /** From a dialled address to the welcome; past it the next address is tried. */
  contactMs: number;
  /** A hub's answer to a `put`; past it the connection is given up. */
  answerMs: number;
  /** Silence after which a hub or a session is pinged, and how long the answer may take; then it is lost. */
  silenceMs: number;
  pongMs: number;
  /** The delay before a hub is dialled again: any up to this one, which doubles each time, up to the most. */
  retryFirstMs: number;
  retryMostMs: number;
  /** After so many failures in a row the most is `retryRareMs`, as after a refusal that no waiting mends. */
  retryRareAfter: number;
  retryRareMs: number;
  /** Between the first dials of two hubs. */
  staggerMs: number;
  /** A hub's frames and bytes; past them it is not read for the rest of the second, or closed where the wire cannot wait. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** Bytes of a hub that came and were not looked at yet; past them it is not read, or closed. */
  unreadBytes: number;
  /** A live session's handshake; past it the next way to the machine is tried. */
  handshakeMs: number;
  /** How long a stream waits for a way to a machine that was there a moment ago. */
  patienceMs: number;
  /** What a stream's writer may have waiting; past it the stream is closed as too slow. */
  streamWaitingBytes: number;
  /** A machine's word on a pairing, after the check was shown. */
  verdictMs: number;
}

export const DEVICE_LIMITS: DeviceLimits = {
  contactMs: 10 * SECOND_MS,
  answerMs: 10 * SECOND_MS,
  silenceMs: 4 * SECOND_MS,
  pongMs: 4 * SECOND_MS,
  retryFirstMs: SECOND_MS,
  retryMostMs: 30 * SECOND_MS,
  retryRareAfter: 8,
  retryRareMs: 300 * SECOND_MS,
  staggerMs: 50,
  framesPerSecond: 2_000,
  bytesPerSecond: 8 * 1024 * 1024,
  unreadBytes: 1024 * 1024,
  handshakeMs: 10 * SECOND_MS,
  patienceMs: 15 * SECOND_MS,
  streamWaitingBytes: 4 * 1024 * 1024,
  verdictMs: 150 * SECOND_MS,
};
