import { useEffect, useMemo, useState } from "react";
import { type Ended, endedRows } from "../model/ended.ts";
import { idOf, type Row, rowsOf } from "../model/rows.ts";
import { useMachine, useMachines } from "./machines.ts";
import { useHome, useWorld } from "./world.ts";

/** The sessions of this machine that are over, as it tells them or has left them; undefined while it is asked. */
export function useEnded(): readonly Row[] | undefined {
  const { feed, remote, machine } = useWorld();
  const home = useHome();
  const shown = useMachine(machine.id);
  const isAlone = useMachines().length < 2;
  const isLive = home.way.kind === "live";
  const [ended, setEnded] = useState<Ended>();
  useEffect(() => {
    let isOver = false;
    const look = async (): Promise<Ended> => {
      if (!isLive) return { kind: "left", talks: (await remote?.talks.all(machine.id)) ?? [] };
      return { kind: "told", sessions: (await feed.client.request("session.list", { saved: true })).sessions };
    };
    look().then(
      (found) => isOver || setEnded(found),
      () => {}, // its way has ended meanwhile, and it is looked at anew
    );
    return () => {
      isOver = true;
    };
  }, [feed, remote, machine.id, isLive]);
  const name = isAlone ? undefined : shown?.name;
  return useMemo(() => {
    if (!ended) return undefined;
    const listed = new Set(rowsOf(home).map(({ unit }) => idOf(unit)));
    return endedRows(ended, { machine: { id: machine.id, name, hub: undefined }, listed, recorded: home.recorded });
  }, [ended, home, machine.id, name]);
}
