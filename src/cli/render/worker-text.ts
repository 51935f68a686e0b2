import type { Worker } from "../../protocol/gateway-units.ts";
import { printable } from "./text-width.ts";

/** A worker among other units. */

/** The reason that says no more than the state does. */
export const WAS_STOPPED = "was stopped";

/** `/api ×2`: where it is reached, and by how many instances when it is not one. */
export function placeText({ route, instances }: Worker, glyphs: boolean): string {
  const count = instances.filter(({ state }) => state === "healthy").length;
  return count > 1 ? `${printable(route)} ${glyphs ? "×" : "x"}${count}` : printable(route);
}

/** Why it is not healthy; else `v 1a2b3c4d :9000 :9001`, and how often it was started again. */
export function factsText({ reason, version, ports = [], restart_count = 0 }: Worker): string {
  if (reason !== undefined && reason !== WAS_STOPPED) return printable(reason);
  const parts = [
    ...(version === undefined ? [] : [`v ${version}`]),
    ...ports.map(({ port }) => `:${port}`),
    ...(restart_count > 0 ? [`failed ${restart_count}× in a row`] : []),
  ];
  return parts.join(" ");
}
