import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "../../platform/paths.ts";
import { readDeviceFile } from "./device-file.ts";

/** The names of the machines that this home may steer, for whoever only wants to show them; none when its keys are not there or cannot be read. */
export function knownMachines({ remoteDir }: Pick<Places, "remoteDir">): string[] {
  try {
    const file = readDeviceFile(readFileSync(join(remoteDir, "device", "device.json"), "utf8"));
    return typeof file === "string" ? [] : file.machines.map(({ name }) => name);
  } catch {
    return [];
  }
}
