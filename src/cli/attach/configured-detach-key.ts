import { existsSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_HOME_CONFIG } from "../../config/home-defaults.ts";
import { type DetachKey, parseDetachKey } from "./detach-key.ts";

/**
 * The keys that leave a session, as this home wants them. The configuration is read only where there is one: its reader loads YAML.
 * @throws DETACH_KEY_INVALID
 */
export async function configuredDetachKey(home: string): Promise<DetachKey> {
  if (!existsSync(join(home, "config.yaml"))) return parseDetachKey(DEFAULT_HOME_CONFIG.sessions.detach);
  const { loadHomeConfig } = await import("../../config/home-config.ts");
  return parseDetachKey((await loadHomeConfig(home)).sessions.detach);
}
