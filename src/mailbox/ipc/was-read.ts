import type { TcpConnection } from "./tcp-table.ts";

/**
 * Whether a reader has read all that was written to it. A FIN alone does not say so: one that came before our reply looks the same to read(2) afterwards, even
 * when the reply met a closed socket. So the kernel is asked:
 *
 * - our end is gone: a reset, which closing with something unread causes, or writing to who has closed. Not read.
 * - something of ours is not acknowledged: not yet known.
 * - the other end is open: read, when nothing is unread there.
 * - the other end is closed, its FIN has come and no reset: read, since all had arrived while it was open.
 */
export type ReadState = "read" | "lost" | "unknown";

export function readState({ ours, theirs }: TcpConnection): ReadState {
  if (ours === undefined) return "lost";
  if (ours.unsentBytes > 0) return "unknown";
  if (theirs !== undefined && theirs.inode !== 0) return theirs.unreadBytes === 0 ? "read" : "unknown";
  return ours.state === "close_wait" ? "read" : "unknown";
}
