import { hostname } from "node:os";
import { knownMachines } from "../../local/remote/known-machines.ts";
import type { Places } from "../../platform/paths.ts";
import type { Output } from "../output.ts";
import { MachineDoor } from "./machine-door.ts";
import { typedThere } from "./typed-there.ts";

/** The door to a machine and an output that says what to type about it; undefined for this one, by its own name too where no other has it. */
export function openDoor(
  name: string,
  places: Places,
  output: Output,
): { machine: MachineDoor; output: Output } | undefined {
  if (name === hostname() && !knownMachines(places).includes(name)) return undefined;
  const typed = (command: string): string => typedThere(name, command);
  const all = Object.getOwnPropertyDescriptors(output); // its own, so that it can be spread
  return { machine: new MachineDoor(name, places), output: Object.defineProperties({ typed }, all) as Output };
}
