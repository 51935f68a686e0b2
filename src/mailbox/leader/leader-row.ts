import type { MailLog } from "../log/mail-log.ts";
import type { LeaderRow } from "../log/operations.ts";

/** What the log says of whoever leads, or led last. */
export const leaderRow = async (mailLog: MailLog, nowMs: number): Promise<LeaderRow | undefined> =>
  (await mailLog.read<"log.leader">({ type: "log.leader", payload: {}, by: { client: "leader" }, nowMs })).leader;
