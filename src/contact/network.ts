/** What a connection to a hub needs of the world, as parameters: a page, a process and a simulation each give it theirs. */

/** {@link Clock} of the platform, as far as a page has it too. */
export interface RemoteClock {
  /** Milliseconds since 1970: for people, and for what another end has to compare. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls `task` once after `delayMs`; the answer cancels it. */
  timer(delayMs: number, task: () => void): () => void;
}

/** One connection to a hub: binary messages in order. */
export interface HubWire {
  send(frame: Uint8Array): void;
  /** Stops and goes on reading, where the wire can; a page's WebSocket cannot. */
  pause?(): void;
  resume?(): void;
  /** `onClosed` follows. */
  close(): void;
}

export interface HubWireEvents {
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
  dial(address: string, events: HubWireEvents, signal: AbortSignal): Promise<HubWire>;
  /** `GET /hub/v1/key`. @throws HUB_UNREACHABLE, HUB_NOT_THERE */
  claim(address: string, signal: AbortSignal): Promise<HubClaim>;
}
