import { useEffect, useState } from "react";
import { appClient } from "../link/app-client.ts";
import type { Row } from "../model/rows.ts";
import { bytes } from "../model/text.ts";
import { useWorld, type World } from "./world.ts";

/**
 * What the open job or session uses, asked every few seconds while somebody looks: a server looks at all processes for it. A worker's is said where its
 * requests are.
 */
const ASK_EVERY_MS = 5_000;

interface Used {
  cpu_percent?: number | undefined;
  memory_bytes?: number | undefined;
}

/** `3 % CPU · 81 MB`; empty while it is not known. */
export function useUse(row: Row): string {
  const world = useWorld();
  const [used, setUsed] = useState<Used>();
  const { key, unit, asOfMs } = row;
  const running = "job" in unit ? unit.job : "session" in unit ? unit.session : undefined;
  const isAsked = running?.status === "running" && asOfMs === undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another unit is another question
  useEffect(() => {
    setUsed(undefined);
    if (!isAsked) return;
    const { ask, close } = asker(world, unit.kind, running.id);
    const look = (): void => {
      if (document.visibilityState === "visible") ask().then(setUsed, () => setUsed(undefined));
    };
    look();
    const timer = setInterval(look, ASK_EVERY_MS);
    return () => {
      clearInterval(timer);
      close();
    };
  }, [world.feed, world.machine, key, isAsked]);
  if (used?.memory_bytes === undefined) return "";
  return `${Math.round(used.cpu_percent ?? 0)} % CPU · ${bytes(used.memory_bytes)}`;
}

/** A job's are the primary's to say; a session's its own server's, over one connection for as long as it is open. */
function asker(
  { feed, machine, version }: World,
  kind: Row["unit"]["kind"],
  id: string,
): { ask: () => Promise<Used | undefined>; close: () => void } {
  if (kind === "job")
    return { ask: async () => (await feed.client.request("get_job", { job_id: id })).job, close: () => {} };
  const client = appClient(machine.dialLines(id), version, { followsSession: true });
  const ask = async (): Promise<Used | undefined> => {
    const { sessions } = await client.request("session.list", { usage: true });
    return sessions.find((session) => session.id === id);
  };
  return { ask, close: () => client.close() };
}
