import { CONTACT_LIMITS, type ContactLimits } from "../../contact/limits.ts";

/** The bounds of the device's side, each with what happens there. */

const SECOND_MS = 1_000;

export interface DeviceLimits extends ContactLimits {
  /** Between the first dials of two hubs. */
  staggerMs: number;
  /** A live session's handshake; past it the next way to the machine is tried. */
  handshakeMs: number;
  /** How long a stream waits for a way to a machine that was there a moment ago. */
  patienceMs: number;
  /** What a stream's writer may have waiting; past it the stream is closed as too slow. */
  streamWaitingBytes: number;
  /** A machine's word on a pairing, after the check was shown. */
  verdictMs: number;
  /** Of a code that this device shows to introduce another one. */
  codeMs: number;
  /** From that code to the end of all that comes of it: before the new device gives up, which is `codeMs` and `verdictMs`. */
  introducingMs: number;
}

export const DEVICE_LIMITS: DeviceLimits = {
  ...CONTACT_LIMITS,
  staggerMs: 50,
  handshakeMs: 10 * SECOND_MS,
  patienceMs: 15 * SECOND_MS,
  streamWaitingBytes: 4 * 1024 * 1024,
  verdictMs: 150 * SECOND_MS,
  codeMs: 120 * SECOND_MS,
  introducingMs: 260 * SECOND_MS,
};
