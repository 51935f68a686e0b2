import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type AllAsked, AskedFeeds } from "../store/asked-feeds.ts";
import type { Place } from "../store/fleet-store.ts";
import { useMachines } from "./machines.ts";
import { useApp, useFleet } from "./world.ts";

/** What agents ask, on all machines, around all views: it is known whatever page is open. */
const AskedContext = createContext<AskedFeeds | undefined>(undefined);

export function AskedScope({ children }: { children: ReactNode }): ReactNode {
  const { version } = useApp();
  const machines = useMachines();
  const { machines: known } = useFleet();
  const [feeds] = useState(() => new AskedFeeds(version));
  const places = useMemo(() => new Map(machines.map(({ id, place }): [string, Place] => [id, place])), [machines]);
  useEffect(() => feeds.sync(places, known), [feeds, places, known]);
  useEffect(() => () => feeds.close(), [feeds]);
  return <AskedContext value={feeds}>{children}</AskedContext>;
}

export function useAskedFeeds(): AskedFeeds {
  const feeds = useContext(AskedContext);
  if (!feeds) throw new Error("no questions around this view");
  return feeds;
}

export function useAsked(): AllAsked {
  const feeds = useAskedFeeds();
  return useSyncExternalStore(feeds.subscribe, feeds.get);
}
