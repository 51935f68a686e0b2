import type { Fleet } from "./fleet.ts";
import { plural } from "./text.ts";

/** `2/3 hubs`; undefined where there is none. */
export function hubCount({ hubs }: Pick<Fleet, "hubs">): string | undefined {
  const wanted = hubs.filter(({ isOff }) => !isOff);
  if (hubs.length === 0) return undefined;
  const ready = wanted.filter(({ state }) => state.kind === "ready").length;
  return `${ready}/${plural(wanted.length, "hub")}`;
}
