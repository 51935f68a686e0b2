/**
 * One connection as the hub sees it: binary messages in order, of whatever carries them (a WebSocket, a simulated network).
 */
export interface HubWire {
  send(frame: Uint8Array): void;
  /** What was sent and has not left this process. */
  readonly unsentBytes: number;
  /** Reads no more until `resume`; what the other end sends waits there. */
  pause(): void;
  resume(): void;
  /** Closes when everything that was sent has left, or a little later. `onClosed` follows. */
  close(): void;
  /** At once; what was not sent is dropped. `onClosed` follows. */
  destroy(): void;
}

/** What happens to it. */
export interface HubWireEvents {
  onFrame(frame: Uint8Array): void;
  /** A message that is no frame: text. */
  onForeign(what: string): void;
  /** `unsentBytes` has become small. */
  onDrained(): void;
  onClosed(): void;
}

/** Who is at the other end, as far as the carrier knows. */
export interface HubPeer {
  /** For limits by address: of the client, or of what a trusted proxy says. */
  address: string;
}
