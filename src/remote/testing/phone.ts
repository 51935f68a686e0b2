import type { RosterDevice } from "../roster.ts";

export const PHONE_KEY = "3".repeat(64);

/** A device on the list that has been at no hub yet. */
export const PHONE: RosterDevice = {
  name: "phone",
  platform: "test",
  signing_key: PHONE_KEY,
  fingerprint: "b".repeat(32),
  exchange_key: PHONE_KEY,
  logins: {},
  scopes: ["view"],
  added_at: "2026-11-01T00:00:00.000Z",
};
