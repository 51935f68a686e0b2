import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { remoteMessages } from "../protocol/remote-messages.ts";
import type { Remote } from "../remote/remote.ts";

/** What each message about devices, hubs and pairings does: translates, and nothing else. */
type RemoteMessage = keyof typeof remoteMessages;
type RemoteHandler<T extends RemoteMessage> = (
  payload: PayloadOf<T>,
  remote: Remote,
  signal: AbortSignal,
) => DataOf<T> | Promise<DataOf<T>>;

export const remoteHandlers: { readonly [T in RemoteMessage]: RemoteHandler<T> } = {
  "remote.devices": (_, remote) => ({ devices: remote.devices() }),
  "remote.hubs": (_, remote) => ({ hubs: remote.hubs() }),
  "remote.look": ({ address }, remote) => remote.look(address),
  "remote.hub_add": async (payload, remote) => ({ hub: await remote.addHub(payload) }),
  "remote.hub_rename": async ({ hub, label }, remote) => ({ hub: await remote.renameHub(hub, label) }),
  "remote.hub_remove": async ({ hub }, remote) => ({ hub: await remote.removeHub(hub) }),
  "remote.pair": ({ hub, scopes }, remote, signal) => remote.pair(hub, scopes, signal),
  "remote.confirm": async ({ pairing }, remote) => ({ device: await remote.confirm(pairing) }),
  "remote.cancel": ({ pairing }, remote) => {
    remote.cancel(pairing);
    return {};
  },
  "remote.rename": async ({ device, name }, remote) => ({ device: await remote.renameDevice(device, name) }),
  "remote.scopes": async ({ device, scopes }, remote) => ({ device: await remote.setScopes(device, scopes) }),
  "remote.revoke": ({ device }, remote) => remote.revoke(device),
};
