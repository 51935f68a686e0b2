/**
 * What the machine's side needs of the world outside: hubs to connect to, and the servers of its home to pass streams on to. Parameters, so that a
 * simulation gives it a network of its own.
 */

/** One connection to a hub: binary messages in order. */
export interface FrameWire {
  send(frame: Uint8Array): void;
  /** `onClosed` follows. */
  close(): void;
}

export interface FrameWireEvents {
  onFrame(frame: Uint8Array): void;
  /** Once, also after `close`. */
  onClosed(): void;
}

/** Who a hub says that it is, before any proof. */
export interface HubClaim {
  /** Ed25519, 32 bytes. */
  key: Uint8Array;
  label: string;
}

export interface HubNetwork {
  /** Opens the hub's WebSocket. @param address http or https, without a slash at the end. Rejects when nobody answers there. */
  dial(address: string, events: FrameWireEvents, signal: AbortSignal): Promise<FrameWire>;
  /** `GET /hub/v1/key`. @throws HUB_UNREACHABLE, HUB_NOT_THERE */
  claim(address: string, signal: AbortSignal): Promise<HubClaim>;
}

/** One connection to a server of this home, as on its unix socket. */
export interface UnitWire {
  /** `onTaken` is called when the server can take more, and not when the wire has closed. */
  write(bytes: Uint8Array, onTaken: () => void): void;
  pause(): void;
  resume(): void;
  /** What was written still arrives. */
  close(): void;
}

export interface UnitWireEvents {
  onBytes(bytes: Uint8Array): void;
  /** Once, also after `close`. */
  onClosed(): void;
}

/** To the server that has the unit; `primary`, and what no server claims, to the one that has the jobs. Rejects with a typed error. */
export type ConnectUnit = (target: string, events: UnitWireEvents) => Promise<UnitWire>;
