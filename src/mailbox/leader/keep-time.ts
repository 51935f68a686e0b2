import { parseDuration } from "../../protocol/durations.ts";

/** A repeat of a request is answered for so long, by what is in the log. */
const KEEP_MS_MIN = 24 * 3_600_000;

/**
 * What `WARREN_MAIL_KEEP` says: how long a message is kept when it is over. Undefined: for ever, which is the default (`never`). `problem`: why what it says is
 * not followed; then everything is kept.
 */
export function keepTime(text: string | undefined): { keepMs: number | undefined; problem?: string } {
  if (text === undefined || text === "" || text === "never") return { keepMs: undefined };
  const keepMs = parseDuration(text);
  if (keepMs !== undefined && keepMs >= KEEP_MS_MIN) return { keepMs };
  const wanted = keepMs === undefined ? "is no duration" : "is less than a day";
  return {
    keepMs: undefined,
    problem: `WARREN_MAIL_KEEP=${text} ${wanted}; everything is kept. Write WARREN_MAIL_KEEP=90d.`,
  };
}
