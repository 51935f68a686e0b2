import { suggest } from "../../protocol/suggest.ts";
import { machineAmbiguous, machineNotFound } from "./errors.ts";
import type { MachineLink } from "./machine-link.ts";

/** By name, or by at least 8 digits of its key. @throws MACHINE_NOT_FOUND, MACHINE_AMBIGUOUS */
export function machineNamed(all: readonly MachineLink[], name: string): MachineLink {
  const named = all.filter(({ machine }) => machine.name === name);
  const found = named.length > 0 ? named : all.filter(({ machine }) => isShort(name) && machine.id.startsWith(name));
  if (found.length > 1)
    throw machineAmbiguous(
      name,
      found.map(({ machine }) => machine.id.slice(0, 12)),
    );
  if (found[0]) return found[0];
  const known = all.map(({ machine }) => machine.name);
  throw machineNotFound(name, suggest(name, known), known);
}

const isShort = (name: string): boolean => /^[0-9a-f]{8,64}$/.test(name);
