import { AHEAD_OF_BROWSER_MS_MAX, readSettings } from "../../protocol/settings.ts";
import type { FleetStore } from "./fleet-store.ts";
import type { SettingsStore } from "./settings-store.ts";
import { SettingsSync, type SettingsSyncOptions } from "./settings-sync.ts";

/** With the machines of the fleet, by the connections that keep their homes true. */
export function syncSettings(settings: SettingsStore, fleet: FleetStore): SettingsSync {
  const ask: SettingsSyncOptions["ask"] = async (id, newer, signal) => {
    const place = fleet.place(id);
    if (!place) return {}; // it went this very moment
    const answer = await place.feed.client.request("remote.settings", { settings: newer }, { signal });
    return readSettings(answer.settings, Date.now() + AHEAD_OF_BROWSER_MS_MAX);
  };
  return new SettingsSync({ settings, fleet, ask });
}
