/** A client's connection after `session.attach`: bytes both ways. The server's connection is one; tests have another. */
export interface ByteStream {
  write(bytes: Uint8Array): void;
  /** Bytes that were written and that the client has not taken. */
  readonly backlogBytes: number;
  /** Resolves when the client has taken what was written, or is gone. */
  drained(): Promise<void>;
  /** Aborted when the client is gone. */
  readonly closed: AbortSignal;
  /** Called once. What comes before it is kept. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Stops and goes on reading from the client. */
  pause(): void;
  resume(): void;
  /** Closes after what was written. */
  end(): void;
  destroy(): void;
}
