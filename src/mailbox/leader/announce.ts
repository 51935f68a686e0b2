import { readTextIfExists, writeFileAtomic } from "../../platform/atomic-file.ts";
import type { Places } from "../../platform/paths.ts";

/** Says in the home where the leader's socket is, for those whose runtime directory is another. Mostly it stands there already. */
export function announce({ mailLeaderFile, mailSocket }: Places): void {
  const text = `${JSON.stringify({ format: 1, socket: mailSocket })}\n`;
  if (readTextIfExists(mailLeaderFile) !== text) writeFileAtomic(mailLeaderFile, text);
}
