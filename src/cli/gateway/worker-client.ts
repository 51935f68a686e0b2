import { isWarrenError } from "../../protocol/errors.ts";
import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import type { Context } from "../context.ts";

/** A worker that a verb means. */
export interface WorkerHandle {
  worker: Worker;
  gateway: Gateway;
}

/** The worker of that name in the project here, or, as `site/api`, in the project of that name. Undefined when there is none. */
export async function workerMeant(context: Context, reference: string): Promise<WorkerHandle | undefined> {
  const at = reference.lastIndexOf("/");
  const [project, name] = at < 0 ? [undefined, reference] : [reference.slice(0, at), reference.slice(at + 1)];
  const here = project === undefined ? { workdir: context.cwd } : {};
  const { gateways } = await context
    .client()
    .request("gateway.status", here)
    .catch((error) => {
      if (isWarrenError(error, "UNKNOWN_TYPE")) return { gateways: [] }; // a server from before there were gateways
      throw error;
    });
  for (const gateway of gateways) {
    if (project !== undefined && gateway.project !== project) continue;
    const worker = gateway.workers.find((one) => one.name === name);
    if (worker) return { worker, gateway };
  }
  return undefined;
}
