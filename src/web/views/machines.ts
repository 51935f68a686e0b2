import type { Scope } from "../../protocol/messages.ts";
import { type FleetMachine, isLive } from "../model/fleet.ts";
import { LOCAL } from "../model/rows.ts";
import type { Place } from "../store/fleet-store.ts";
import { useApp, useFleet } from "./world.ts";

/** A machine of the app, as pages that show something of each take it. */
export interface ShownMachine {
  id: string;
  name: string;
  place: Place;
  isLive: boolean;
  /** What this browser may do there; it is the machine that holds it to that. */
  may(scope: Scope): boolean;
}

export function useMachines(): readonly ShownMachine[] {
  const { fleet } = useApp();
  const { machines } = useFleet();
  return [...machines.values()].flatMap((facts) => {
    const place = fleet.place(facts.id);
    return place ? [shownMachine(facts, place)] : [];
  });
}

export function useMachine(id: string): ShownMachine | undefined {
  const { fleet } = useApp();
  const facts = useFleet().machines.get(id);
  const place = fleet.place(id);
  return facts && place && shownMachine(facts, place);
}

const shownMachine = (facts: FleetMachine, place: Place): ShownMachine => ({
  id: facts.id,
  name: machineWords(facts),
  place,
  isLive: isLive(facts),
  may: (scope) => facts.scopes === undefined || facts.scopes.includes(scope),
});

export const machineWords = ({ id, name }: Pick<FleetMachine, "id" | "name">): string =>
  id === LOCAL ? "this machine" : name;
