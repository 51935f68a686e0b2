import { AHEAD_OF_BROWSER_MS_MAX, readSettings, type Settings } from "../protocol/settings.ts";
import { jsonIn, utf8 } from "./bytes.ts";

/**
 * The text of the `state` record in the stream `settings`: the app's settings as a machine has them, as JSON, `{ "settings": { … } }`. It lacks what a unit's row has to have, so that a device
 * that knows rows alone takes it for none.
 */
export const SETTINGS_STREAM = "settings";

/** By name, so that the same settings are the same bytes. */
export const encodeSettings = (settings: Settings): Uint8Array =>
  utf8(JSON.stringify({ settings: Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))) }));

/** Undefined: it is another state. @param nowMs by the clock of the device */
export function decodeSettings(text: Uint8Array, nowMs: number): Settings | undefined {
  try {
    const said = jsonIn(text) as Record<string, unknown> | null;
    const isTheirs = typeof said?.settings === "object" && said.settings !== null && said.id === undefined;
    return isTheirs ? readSettings(said.settings, nowMs + AHEAD_OF_BROWSER_MS_MAX) : undefined;
  } catch {
    return undefined;
  }
}
