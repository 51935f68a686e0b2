/** What the machine's side needs of its home: servers to pass streams on to. A parameter, so that a simulation gives it servers of its own. */

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
