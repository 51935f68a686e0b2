import { CONTACT_LIMITS, type ContactLimits } from "../contact/limits.ts";

/** The bounds of the machine's side, each with what happens there. */

const SECOND_MS = 1_000;

export interface RemoteLimits extends ContactLimits {
  /** As many as a space has members; past it `DEVICES_FULL`. */
  devices: number;
  /** Live sessions of a device; past it the oldest ends. */
  sessions: number;
  /** Of a session; past it a stream is closed with `STREAMS_FULL`. */
  streams: number;
  /** A device's handshake, of a session or of a pairing; past it its channel is closed. */
  handshakeMs: number;
  /** How much longer than its hour a session may last, so that the device makes the next one. */
  sessionSlackMs: number;
  /** A code's life. */
  codeMs: number;
  /** How long a person may look at a device that wants to join. */
  confirmMs: number;
  /** Of devices that others introduce; past it `INTRODUCTIONS_FULL`. */
  introductions: number;
  /** From being introduced to having kept what this machine has signed; past it the device is as it was before. */
  introductionMs: number;
  /** How long `revoke` waits for hubs. */
  expelMs: number;
}

export const REMOTE_LIMITS: RemoteLimits = {
  ...CONTACT_LIMITS,
  // What the members of a space may send, all together.
  framesPerSecond: 32 * CONTACT_LIMITS.framesPerSecond,
  bytesPerSecond: 32 * CONTACT_LIMITS.bytesPerSecond,
  devices: 32,
  sessions: 16,
  streams: 64,
  handshakeMs: 10 * SECOND_MS,
  sessionSlackMs: 300 * SECOND_MS,
  codeMs: 120 * SECOND_MS,
  confirmMs: 120 * SECOND_MS,
  introductions: 8,
  introductionMs: 150 * SECOND_MS,
  expelMs: 5 * SECOND_MS,
};
