import type { Stage } from "../stage.ts";

/** One thing that keeps messages, running in a place of its own, and one client of it in this process. */
export interface MailPeer {
  readonly name: string;
  readonly pids: readonly number[];
  /** Resolves when it is acknowledged; many may be in hand. */
  send(body: string): Promise<void>;
  /** By another connection: waits for the next message to the reader, acknowledges it, and answers when it came. */
  receive?(): Promise<number>;
  /** To whoever receives. */
  sendToReader?(body: string): Promise<void>;
  /** How many a round of pipelined sends has; absent: it cannot. */
  readonly pipelinedCount?: number;
}

export interface MailPlace {
  stage: Stage;
  /** A directory of the peer's own, made. */
  dir: string;
  ending: AsyncDisposableStack;
}

export interface MailKind {
  readonly name: string;
  /** Undefined: it is not installed. */
  version(stage: Stage): Promise<string | undefined>;
  start(place: MailPlace): Promise<MailPeer>;
}
