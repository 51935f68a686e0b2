import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import type { SessionRecord } from "./record.ts";
import type { LiveView } from "./views.ts";

/** A session whose program runs: a terminal, or an agent. What the verbs for both need of it. */
export interface LiveSession {
  readonly record: SessionRecord;
  readonly channel: KeeperChannel;
  readonly size: { cols: number; rows: number };
  /** Bytes that its program has written. */
  readonly outputBytes: number;
  /** The part of its view that only the live session knows. */
  live(): LiveView;
  /** Resolves when its clients have been told of its end, or after a while. */
  told(): Promise<void>;
  /** Lets go of it; its program goes on. */
  close(): void | Promise<void>;
}
