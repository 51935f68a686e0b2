import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { messageOf } from "../../protocol/errors.ts";
import { readText } from "../read-text.ts";
import type { Source } from "./config-source.ts";
import { listOf } from "./route-values.ts";
import { tqServerEnv } from "./tqserver-worker.ts";
import type { WorkerFile } from "./worker-fields.ts";

/** What the gateway says itself, and nobody else. */
const OURS = /^(PORT|LISTEN_(FDS|PID|FDNAMES)|WORKER_(PORT|NAME|PATH|ROUTE|MODE|TYPE|PRIVATE|ARTEFACT))$/;

/** Of `env_file`, TQServer's keys and `env`, a later one winning. Its files are added to `watched`. */
export async function envOf(
  { dir, file, source }: { dir: string; file: WorkerFile; source: Source },
  watched: Set<string>,
): Promise<Record<string, string>> {
  const env = new Map<string, string>();
  for (const [index, name] of listOf(file.env_file).entries()) {
    const at = typeof file.env_file === "string" ? "env_file" : `env_file[${index}]`;
    const path = resolve(dir, name);
    watched.add(path);
    const text = await readText(path).catch((error: unknown) => new Error(messageOf(error)));
    if (text === undefined) source.report(at, `${path} does not exist`);
    else if (text instanceof Error) source.report(at, text.message);
    else for (const [key, value] of Object.entries(parseEnv(text))) env.set(key, value ?? "");
  }
  for (const [key, value] of Object.entries(tqServerEnv(file))) env.set(key, value);
  for (const [key, value] of file.env ?? []) {
    if (OURS.test(key)) source.report(`env.${key}`, `${key} is given by the gateway, which knows it`);
    env.set(key, value);
  }
  return Object.fromEntries([...env].filter(([key]) => !OURS.test(key)));
}
