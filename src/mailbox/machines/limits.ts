/** The limits of the exchange between machines, each with its policy (docs/mailbox-design.md, "Machines"). */

/** Copies on their way to one machine, and their bytes; more wait in the log. Those of a sender that has to wait do not count. */
export const IN_FLIGHT_MAX = 256;
export const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
/** A machine that is there and has said nothing for so long of what it was sent gets it again; then after twice as long, and so on. */
export const RESEND_MS = 5_000;
export const RESEND_MS_MAX = 300_000;
/** What could not be published is tried again after so long, and then after twice as long. */
export const REPUBLISH_MS = 250;
export const REPUBLISH_MS_MAX = 30_000;
/** A copy that was published less than this ago is not sent again because a later one came first. */
export const WANT_GRAIN_MS = 250;
/** A sender whose copy is refused for now waits so long, and then twice as long. */
export const HOLD_MS = 2_000;
export const HOLD_MS_MAX = 60_000;
/** Confirmations that come within this time go together. */
export const GATHER_MS = 5;
/** And at most so many of them. */
export const GATHER_MAX = 256;
/** How often this machine says that it is here; one that has not said so for `AWAY_MS` is away. */
export const HEARTBEAT_MS = 5_000;
export const AWAY_MS = 12_500;
/** Names of one machine that the others are told, those that are here first. */
export const NAMES_MAX = 500;
/** Changes of names are told together. */
export const NAMES_GATHER_MS = 500;
/** A packet's clock may be so much ahead of ours; what is further ahead waits. */
export const CLOCK_AHEAD_MS = 600_000;
/** Machines that are known; more are not heard. */
export const MACHINES_MAX = 256;
