import { formatBytes } from "../../protocol/durations.ts";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Model, Use } from "./model.ts";

/** What units use of processor and memory. */

/** A model that does not change keeps its identity. */
export function applyUsage(model: Model, usage: ReadonlyMap<string, Use>): Model {
  const isSame =
    usage.size === model.usage.size && [...usage].every(([id, use]) => isSameUse(use, model.usage.get(id)));
  return isSame ? model : { ...model, usage };
}

/** Rounded as it is shown, so that what looks the same is the same. `cpuPercent`: of one processor. */
export const useOf = (cpuPercent: number, memoryBytes: number): Use => ({
  cpu: `${Math.round(cpuPercent)}%`,
  memory: formatBytes(memoryBytes),
});

/** Undefined: it has no process, or none that was measured. */
export const useOfWorker = ({ cpu_percent = 0, memory_bytes }: Worker): Use | undefined =>
  memory_bytes === undefined ? undefined : useOf(cpu_percent, memory_bytes);

const isSameUse = (a: Use, b: Use | undefined): boolean => a.cpu === b?.cpu && a.memory === b.memory;
