import * as z from "zod/mini";
import { HubLook, RemoteDevice, RemoteHub, RemoteIntroduction, RemotePairing, RemoteScope } from "./remote-units.ts";

/**
 * Devices, hubs and pairings of a machine; its primary server answers. A device with the scope `admin` may ask as well as the machine's own commands,
 * and for the app's settings one with `type`. What happens is told on the stream `remote` (remote-units.ts).
 */

/** By its name. */
const DeviceRef = { device: z.string() };
/** By its label, its fingerprint, or one of its addresses. */
const HubRef = { hub: z.string() };
const DeviceData = z.looseObject({ device: RemoteDevice });
const HubData = z.looseObject({ hub: RemoteHub });
/** The app's, by name: see settings.ts. */
const AllSettings = {
  settings: z.record(z.string(), z.object({ value: z.unknown(), at_ms: z.int(), by: z.string() })),
};
const IntroductionRef = { introduction: z.string() };
const Nothing = z.looseObject({});
/** So many bytes as hex. */
const hex = (bytes: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));

function message<S extends "view" | "type" | "admin", P extends z.ZodMiniType, D extends z.ZodMiniType>(
  scope: S,
  payload: P,
  data: D,
) {
  return { scope, payload, data };
}

export const remoteMessages = {
  "remote.devices": message(
    "view",
    Nothing,
    z.looseObject({
      devices: z.array(RemoteDevice),
      introductions: z.optional(z.array(RemoteIntroduction)),
      asks_first: z.optional(z.boolean()),
    }),
  ),
  "remote.hubs": message("view", Nothing, z.looseObject({ hubs: z.array(RemoteHub) })),
  /** Asks what answers at the address; gives it nothing. */
  "remote.look": message("admin", z.looseObject({ address: z.string() }), HubLook),
  /**
   * Makes this machine a member of the hub there, once that hub has shown that it holds the key of `fingerprint`. `invitation`: of its owner; the hub of
   * this home needs none.
   */
  "remote.hub_add": message(
    "admin",
    z.looseObject({
      address: z.string(),
      fingerprint: z.string(),
      invitation: z.optional(z.string()),
      label: z.optional(z.string()),
    }),
    HubData,
  ),
  "remote.hub_rename": message("admin", z.looseObject({ ...HubRef, label: z.string() }), HubData),
  /** This machine and its devices do not meet there any more. What the hub knows of it, its owner removes: `warren hub remove`. */
  "remote.hub_remove": message("admin", z.looseObject(HubRef), HubData),
  /** Makes a code, which lives for two minutes and as long as this connection. */
  "remote.pair": message(
    "admin",
    z.looseObject({ ...HubRef, scopes: z.array(RemoteScope) }),
    z.looseObject({
      pairing: RemotePairing,
      hub: RemoteHub,
      /** `warren://pair?…`, the link to open, and what a QR code holds. */
      code: z.string(),
      link: z.string(),
      qr: z.string(),
      is_local: z.boolean(),
    }),
  ),
  /** Lets in whoever is shown. */
  "remote.confirm": message("admin", z.looseObject({ pairing: z.string() }), DeviceData),
  /** Takes the code back, or refuses whoever is shown. One that is over is no error. */
  "remote.cancel": message("admin", z.looseObject({ pairing: z.string() }), Nothing),
  "remote.rename": message("admin", z.looseObject({ ...DeviceRef, name: z.string() }), DeviceData),
  /** Its sessions end, and come back with these. */
  "remote.scopes": message("admin", z.looseObject({ ...DeviceRef, scopes: z.array(RemoteScope) }), DeviceData),
  /** Cuts it off. `later`: a hub that is away is told at the next contact, before anything else. */
  "remote.revoke": message(
    "admin",
    z.looseObject(DeviceRef),
    z.looseObject({
      device: RemoteDevice,
      hubs: z.array(z.looseObject({ hub: z.string(), state: z.enum(["cut", "later"]) })),
    }),
  ),
  /**
   * A device introduces another one, which it has met by a code of its own (docs/remote-design.md, Pairing). Where this machine asks first it is answered
   * when its person has said something. What it let in is as before when the connection ends without an `introduce_end`.
   */
  "remote.introduce": message(
    "admin",
    z.looseObject({
      /** Made by who introduces; a repeat is the same introduction. */
      introduction: hex(16),
      /** The fingerprint of the hub at which they meet. */
      hub: hex(16),
      /** Of the handshake between the two devices. */
      handshake_hash: hex(32),
      signing_key: hex(32),
      exchange_key: hex(32),
      login_key: hex(32),
      /** The new device's signature. */
      proof: hex(64),
      name: z.string().check(z.minLength(1), z.maxLength(60)),
      platform: z.string().check(z.minLength(1), z.maxLength(60)),
      scopes: z.array(RemoteScope),
      /** How long a person may take for a yes. */
      wait_ms: z.int().check(z.positive()),
    }),
    /** The machine's offer, signed, as hex. */
    z.looseObject({ offer: z.string(), device: RemoteDevice }),
  ),
  /** The new device has kept the offer, or never will: then it is thrown out again. One that is over is no error. */
  "remote.introduce_end": message("admin", z.looseObject({ ...IntroductionRef, is_kept: z.boolean() }), Nothing),
  /** Lets in a device that waits. At the machine alone, and by none of its devices. */
  "remote.allow": message("admin", z.looseObject(IntroductionRef), DeviceData),
  "remote.refuse": message("admin", z.looseObject(IntroductionRef), Nothing),
  /** Whether nobody comes in without a yes at the machine itself. At the machine alone. */
  "remote.ask_first": message("admin", z.looseObject({ is_on: z.boolean() }), Nothing),
  /**
   * The app's settings, field by field (settings.ts): brings what the asker has, answered with all that this machine has by then. What has not the form of
   * a setting, or is too much, is left out.
   */
  "remote.settings": message("type", z.looseObject(AllSettings), z.looseObject(AllSettings)),
};
