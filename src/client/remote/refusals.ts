import type { WarrenError } from "../../protocol/errors.ts";
import { machineRefuses } from "./errors.ts";
import type { MachineLink } from "./machine-link.ts";

/** Which machines let this device in no more, and who says so: a person has to know, and to pair anew. */
export interface MachineRefusal {
  /** `machine`: its own word, signed: it has begun a period without this device at each of its hubs. `hub`: what its hubs say, which may be wrong. */
  by: "machine" | "hub";
  error: WarrenError;
}

export interface RefusalsOptions {
  linkOf(machine: string): MachineLink | undefined;
  onChanged(machine: string, refusal: MachineRefusal | undefined): void;
}

export class Refusals {
  readonly #options: RefusalsOptions;
  /** By machine: the hubs at which it has begun a period without this device; and what was told last. */
  readonly #excludedAt = new Map<string, Set<string>>();
  readonly #told = new Map<string, MachineRefusal["by"]>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  of(machine: string): MachineRefusal | undefined {
    const link = this.#options.linkOf(machine);
    if (!link || link.liveHub !== undefined) return undefined;
    const { name, spaces } = link.machine;
    if (this.#excludedAt.get(machine)?.size === Object.keys(spaces).length)
      return { by: "machine", error: machineRefuses(name) };
    const error = link.refusal;
    return error && { by: "hub", error };
  }

  excluded(machine: string, hub: string, isExcluded: boolean): void {
    const hubs = this.#excludedAt.get(machine) ?? new Set();
    if (isExcluded) hubs.add(hub);
    else hubs.delete(hub);
    this.#excludedAt.set(machine, hubs);
    this.look(machine);
  }

  letIn(machine: string): void {
    this.#excludedAt.delete(machine);
    this.look(machine);
  }

  /** A hub of it, or its link, has another state. */
  look(machine: string): void {
    const refusal = this.of(machine);
    if (refusal?.by === this.#told.get(machine)) return;
    if (refusal) this.#told.set(machine, refusal.by);
    else this.#told.delete(machine);
    this.#options.onChanged(machine, refusal);
  }

  forget(machine: string): void {
    this.#excludedAt.delete(machine);
    this.#told.delete(machine);
  }
}
