import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { ProblemList } from "./page.ts";

/** What there is, for somebody in development who asked for something else. More than these say little. */
const ROUTES_SHOWN = 50;

/** `GET example.org/api`; what is not named is left out. */
export const placeOf = ({ host, path, methods }: FrontRoute): string =>
  `${methods === undefined ? "" : `${methods.join(" ")} `}${host ?? ""}${path}`;

export function routeList(routes: readonly FrontRoute[]): ProblemList | undefined {
  if (routes.length === 0) return undefined;
  const items = routes.slice(0, ROUTES_SHOWN).map((route) => `${placeOf(route)} → ${aimOf(route)}`);
  if (routes.length > ROUTES_SHOWN) items.push(`and ${routes.length - ROUTES_SHOWN} more`);
  return { title: "There is", items };
}

const aimOf = (route: FrontRoute): string => (route.kind === "worker" ? route.worker : route.to);
