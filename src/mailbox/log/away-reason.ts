/** Characters of a reason that another machine is told; a longer one is cut, as a packet with it would be unreadable there. */
export const AWAY_REASON_CHARACTERS_MAX = 1_000;

/** Never within a surrogate pair. */
export const awayReason = (reason: string): string =>
  reason.length <= AWAY_REASON_CHARACTERS_MAX
    ? reason
    : `${reason
        .slice(0, AWAY_REASON_CHARACTERS_MAX - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, "")}…`;
