import { existsSync } from "node:fs";
import { join } from "node:path";

/** Whether the project of a directory has a folder for that worker, up or not. Reads no configuration: for saying what is wrong. */
export async function isWorkerHere(cwd: string, name: string): Promise<boolean> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return false;
  const { findGateway } = await import("../../config/gateway/load-gateway.ts");
  const dir = await findGateway(cwd).catch(() => undefined);
  return dir !== undefined && existsSync(join(dir, "workers", name));
}
