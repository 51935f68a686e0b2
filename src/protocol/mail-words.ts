import type { Participant, Presence } from "./mail-units.ts";

/** How all faces say who is there. */
export type PresenceWord = Presence | "unknown";

/** Mail waits for a name that nobody has taken yet. Those of other machines are told without their dates. */
export const presenceWord = ({
  name,
  presence,
  registered_at,
}: Pick<Participant, "name" | "presence" | "registered_at">): PresenceWord =>
  presence === "gone" && registered_at === undefined && !name.includes("@") ? "unknown" : presence;

/** The beginning of a sentence about it. */
export const neverTaken = (name: string): string => `nobody has ever been called ${name}`;
