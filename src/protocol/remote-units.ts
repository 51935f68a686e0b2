import * as z from "zod/mini";

/** What a machine says of its devices, its hubs and its pairings. Times are RFC 3339; fingerprints 8 groups of 4 hex digits. */

export const RemoteScope = z.enum(["view", "type", "approve", "admin"]);

/** Whatever may steer this machine from elsewhere by its own key: a phone, a browser, another machine's command line. */
export const RemoteDevice = z.looseObject({
  name: z.string(),
  /** As it says itself: `android`, `linux`, … */
  platform: z.string(),
  scopes: z.array(RemoteScope),
  /** Of the key that it signs with. */
  fingerprint: z.string(),
  /** The labels of the hubs through which it can come. */
  hubs: z.array(z.string()),
  /** It has a session at this moment. */
  is_connected: z.boolean(),
  added_at: z.string(),
  seen_at: z.optional(z.string()),
  /** The device that has introduced it, as it was called then; absent: it came with a code of the machine. */
  introduced_by: z.optional(z.string()),
});

/**
 * A hub that this machine is a member of. `waiting`: it was lost, and is dialled again by itself; `refused`: somebody has to do something first, which
 * `fix` says.
 */
export const RemoteHub = z.looseObject({
  label: z.string(),
  fingerprint: z.string(),
  addresses: z.array(z.string()),
  state: z.enum(["off", "connecting", "ready", "waiting", "refused"]),
  /** Why it is not ready. */
  error: z.optional(z.string()),
  code: z.optional(z.string()),
  fix: z.optional(z.string()),
  device_count: z.int(),
  added_at: z.string(),
  used_at: z.optional(z.string()),
});

/** What answers at an address, before anything is given to it. */
export const HubLook = z.looseObject({
  /** In the one way to write it. */
  address: z.string(),
  fingerprint: z.string(),
  /** As it calls itself, or as it is called here. */
  label: z.string(),
  is_known: z.boolean(),
  /** Each device has such an address for itself (localhost). */
  is_local: z.boolean(),
});

/** Who wants to join. */
export const RemoteCandidate = z.looseObject({
  name: z.string(),
  platform: z.string(),
  /** 6 digits, the same at both ends. */
  check: z.string(),
  /** The device that this one is already, under the same key. */
  known_as: z.optional(z.string()),
});

/** `offered`: the code waits; `shown`: somebody has used it, and a person has to say yes. */
export const RemotePairing = z.looseObject({
  pairing: z.string(),
  hub: z.string(),
  state: z.enum(["offered", "shown", "admitting"]),
  expires_at: z.string(),
  scopes: z.array(RemoteScope),
  candidate: z.optional(RemoteCandidate),
});

/** A device that another one, with the scope admin, introduces, and that waits for a yes of the machine's person. */
export const RemoteIntroduction = z.looseObject({
  introduction: z.string(),
  name: z.string(),
  platform: z.string(),
  scopes: z.array(RemoteScope),
  /** Of the key that it signs with. */
  fingerprint: z.string(),
  hub: z.string(),
  /** The device that introduces it. */
  introduced_by: z.string(),
  expires_at: z.string(),
  /** The device that this one is already, under the same key. */
  known_as: z.optional(z.string()),
});

/** The snapshot of the stream `remote`. */
export const RemoteSnapshot = z.looseObject({
  devices: z.array(RemoteDevice),
  hubs: z.array(RemoteHub),
  pairings: z.array(RemotePairing),
  introductions: z.optional(z.array(RemoteIntroduction)),
  asks_first: z.optional(z.boolean()),
});

export type RemoteDevice = z.infer<typeof RemoteDevice>;
export type RemoteHub = z.infer<typeof RemoteHub>;
export type HubLook = z.infer<typeof HubLook>;
export type RemoteCandidate = z.infer<typeof RemoteCandidate>;
export type RemotePairing = z.infer<typeof RemotePairing>;
export type RemoteIntroduction = z.infer<typeof RemoteIntroduction>;
export type RemoteSnapshot = z.infer<typeof RemoteSnapshot>;

/** How a pairing ended without a device. */
export type PairingEnding = "refused" | "expired" | "cancelled" | "left" | "failed";

/** How a device that was introduced and had to wait came in, or not: `expired` nobody has said anything, `cancelled` it or who introduces it went away. */
export type IntroductionEnding = "allowed" | "refused" | "expired" | "cancelled";

/** The events of the stream `remote`, by type. */
export interface RemoteEvents {
  met: { pairing: string; candidate: RemoteCandidate };
  joined: { pairing: string; device: RemoteDevice };
  pairing_ended: { pairing: string; how: PairingEnding };
  introduction_waits: { introduction: RemoteIntroduction };
  introduction_ended: { introduction: string; name: string; how: IntroductionEnding };
  /** It is in, by the word of another device. */
  introduced: { device: RemoteDevice; by: string };
  /** Nobody has said that it was kept: the device of that name is as it was before, or gone. */
  introduction_undone: { name: string; by: string; device?: RemoteDevice };
  asks_first: { is_on: boolean };
  device_seen: { device: RemoteDevice };
  /** Renamed, or with other scopes. */
  device_changed: { device: RemoteDevice; name_before: string };
  device_revoked: { name: string };
  hub_state: { hub: RemoteHub };
  hub_removed: { label: string };
}
export type RemoteEventType = keyof RemoteEvents;
