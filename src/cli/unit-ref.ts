import type { Unit } from "../protocol/messages.ts";

/**
 * The word that means exactly that job or worker, whatever else has its name: a job's id, `worker:site/api`, or `worker:/home/me/site/api` where another
 * project among `units` is called `site` and has an `api` too.
 */
export function refsOf(units: readonly Unit[]): (unit: Unit) => string {
  const workers = units.filter((unit) => unit.kind === "worker");
  const counts = new Map<string, number>();
  for (const { id = "" } of workers) counts.set(id, (counts.get(id) ?? 0) + 1);
  return (unit) => {
    if (unit.kind === "job") return unit.id;
    const { id, name, workdir } = unit;
    if (id === undefined) return `worker:${name}`; // of a server from before there were ids
    return `worker:${counts.get(id)! > 1 && workdir !== undefined ? `${workdir}/${name}` : id}`;
  };
}
