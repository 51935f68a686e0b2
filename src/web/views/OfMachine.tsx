import { type ReactNode, useMemo } from "react";
import { useApp, useFleet, type World, WorldContext } from "./world.ts";

/** A part of the page that is about one machine: `useWorld` and `useHome` in it are of that one. Nothing, where it is not known (any more). */
export function OfMachine({
  id,
  children,
  otherwise = null,
}: {
  id: string | undefined;
  children: ReactNode;
  otherwise?: ReactNode;
}): ReactNode {
  const app = useApp();
  useFleet(); // a machine that comes or is met anew has another place
  const place = id === undefined ? undefined : app.fleet.place(id);
  const world = useMemo((): World | undefined => place && { ...app, ...place }, [app, place]);
  return world ? <WorldContext value={world}>{children}</WorldContext> : otherwise;
}
