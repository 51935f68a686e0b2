import * as z from "zod/mini";
import { HubLook, RemoteDevice, RemoteHub, RemotePairing, RemoteScope } from "./remote-units.ts";

/**
 * Devices, hubs and pairings of a machine; its primary server answers. A device with the scope `admin` may ask as well as the machine's own commands.
 * What happens is told on the stream `remote` (remote-units.ts).
 */

/** By its name. */
const DeviceRef = { device: z.string() };
/** By its label, its fingerprint, or one of its addresses. */
const HubRef = { hub: z.string() };
const DeviceData = z.looseObject({ device: RemoteDevice });
const HubData = z.looseObject({ hub: RemoteHub });
const Nothing = z.looseObject({});

function message<S extends "view" | "admin", P extends z.ZodMiniType, D extends z.ZodMiniType>(
  scope: S,
  payload: P,
  data: D,
) {
  return { scope, payload, data };
}

export const remoteMessages = {
  "remote.devices": message("view", Nothing, z.looseObject({ devices: z.array(RemoteDevice) })),
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
};
