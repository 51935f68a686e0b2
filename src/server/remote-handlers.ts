import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { remoteMessages } from "../protocol/remote-messages.ts";
import type { Remote } from "../remote/remote.ts";

/** What each message about devices, hubs and pairings does: translates, and nothing else. */
/** The app's settings are there before anybody is paired: `OpenRemote` answers them. */
type RemoteMessage = Exclude<keyof typeof remoteMessages, "remote.settings">;
type RemoteHandler<T extends RemoteMessage> = (
  payload: PayloadOf<T>,
  remote: Remote,
  signal: AbortSignal,
  /** The device that asks; undefined: this machine's own command. */
  by: string | undefined,
) => DataOf<T> | Promise<DataOf<T>>;

export const remoteHandlers: { readonly [T in RemoteMessage]: RemoteHandler<T> } = {
  "remote.devices": (_, remote) => ({ devices: remote.devices(), ...remote.introductions() }),
  "remote.hubs": (_, remote) => ({ hubs: remote.hubs() }),
  "remote.look": ({ address }, remote) => remote.look(address),
  "remote.hub_add": async (payload, remote) => ({ hub: await remote.addHub(payload) }),
  "remote.hub_rename": async ({ hub, label }, remote) => ({ hub: await remote.renameHub(hub, label) }),
  "remote.hub_remove": async ({ hub }, remote) => ({ hub: await remote.removeHub(hub) }),
  "remote.pair": ({ hub, scopes }, remote, signal) => remote.pair(hub, scopes, signal),
  "remote.confirm": async ({ pairing }, remote, _, by) => ({ device: await remote.confirm(pairing, by) }),
  "remote.cancel": ({ pairing }, remote) => {
    remote.cancel(pairing);
    return {};
  },
  "remote.rename": async ({ device, name }, remote) => ({ device: await remote.renameDevice(device, name) }),
  "remote.scopes": async ({ device, scopes }, remote) => ({ device: await remote.setScopes(device, scopes) }),
  "remote.revoke": ({ device }, remote) => remote.revoke(device),
  "remote.introduce": (payload, remote, signal, by) => remote.introduce(payload, by, signal),
  "remote.introduce_end": async ({ introduction, is_kept }, remote) => {
    await remote.endIntroduction(introduction, is_kept);
    return {};
  },
  "remote.allow": async ({ introduction }, remote, _, by) => ({ device: await remote.allow(introduction, by) }),
  "remote.refuse": async ({ introduction }, remote) => {
    await remote.refuse(introduction);
    return {};
  },
  "remote.ask_first": async ({ is_on }, remote, _, by) => {
    await remote.askFirst(is_on, by);
    return {};
  },
};
