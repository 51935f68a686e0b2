import { shortText } from "../../protocol/cut-text.ts";

/** Characters of a reason that another machine is told; a longer one is cut, as a packet with it would be unreadable there. */
export const AWAY_REASON_CHARACTERS_MAX = 1_000;

export const awayReason = (reason: string): string => shortText(reason, AWAY_REASON_CHARACTERS_MAX);
