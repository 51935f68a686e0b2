import { toHex } from "../../sealing/bytes.ts";
import { encodeSettings, SETTINGS_STREAM } from "../../sealing/settings-text.ts";
import type { KeptSettings } from "../kept-settings.ts";
import type { SpaceState } from "./space-state.ts";
import { sealNamed, type WriterParts } from "./space-writer.ts";

/** Seals the app's settings where they are others than what was sealed last in this period. Where nobody has set anything there is nothing to tell. */
export async function sealSettings(parts: WriterParts, draft: SpaceState, { now }: KeptSettings): Promise<boolean> {
  if (Object.keys(now).length === 0) return false;
  const text = encodeSettings(now);
  const sealed = `${draft.period!.number}/${toHex(await parts.crypto.sha256(text))}`;
  if (sealed === draft.settings) return false;
  await sealNamed(parts, draft, { kind: "state", name: SETTINGS_STREAM, text });
  draft.settings = sealed;
  return true;
}
