/** The bounds of the machine's side, each with what happens there. */

const SECOND_MS = 1_000;

export interface RemoteLimits {
  /** As many as a space has members; past it `DEVICES_FULL`. */
  devices: number;
  /** Live sessions of a device; past it the oldest ends. */
  sessions: number;
  /** Of one hub; past them it is no hub that keeps its word, and the connection is given up. */
  channels: number;
  /** Bytes of a hub's channels that came and are not done with; past it the same. */
  heldBytes: number;
  /** Of a session; past it a stream is closed with `STREAMS_FULL`. */
  streams: number;
  /** Frames of a session that wait besides streams' bytes; past it the session ends. */
  controlFrames: number;
  /** From a dialled address to the welcome; past it the next address is tried. */
  contactMs: number;
  /** A hub's answer to a request; past it the connection is given up. */
  answerMs: number;
  /** Silence after which the hub is pinged, and how long its answer may take; then the link is down. */
  silenceMs: number;
  pongMs: number;
  /** The delay before a hub is dialled again: doubled each time, shortened by chance, up to the most. */
  retryFirstMs: number;
  retryMostMs: number;
  /** The same after a refusal that no waiting mends: somebody has to do something first. */
  retryRefusedMs: number;
  /** A device's handshake, of a session or of a pairing; past it its channel is closed. */
  handshakeMs: number;
  /** How much longer than its hour a session may last, so that the device makes the next one. */
  sessionSlackMs: number;
  /** A code's life. */
  codeMs: number;
  /** How long a person may look at a device that wants to join. */
  confirmMs: number;
  /** How long `revoke` waits for hubs. */
  expelMs: number;
}

export const REMOTE_LIMITS: RemoteLimits = {
  devices: 32,
  sessions: 16,
  channels: 2_048,
  heldBytes: 32 * 1024 * 1024,
  streams: 64,
  controlFrames: 1_000,
  contactMs: 10 * SECOND_MS,
  answerMs: 10 * SECOND_MS,
  silenceMs: 4 * SECOND_MS,
  pongMs: 4 * SECOND_MS,
  retryFirstMs: SECOND_MS,
  retryMostMs: 30 * SECOND_MS,
  retryRefusedMs: 300 * SECOND_MS,
  handshakeMs: 10 * SECOND_MS,
  sessionSlackMs: 300 * SECOND_MS,
  codeMs: 120 * SECOND_MS,
  confirmMs: 120 * SECOND_MS,
  expelMs: 5 * SECOND_MS,
};
