import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { parseBytes } from "../../protocol/durations.ts";
import type { DraftGateway, DraftJob, Note } from "./draft.ts";

/** What pm2 runs as several processes on one port: the gateway's `app`, which replaces them without a failed request. */

/** One app of an ecosystem file, as it was written. */
export type App = Record<string, unknown>;

/** Keys that have a place in `gateway.app`, besides those of a job. */
export const TAKEN_BY_GATEWAY: readonly string[] = [
  ...["instances", "exec_mode", "watch", "ignore_watch", "max_memory_restart", "listen_timeout", "wait_ready"],
];

/** The app that pm2's cluster is made of: the gateway has one application, in the project's own folder. Undefined: there is none, or more than one. */
export function servedByGateway(apps: readonly App[], projectDir: string): App | undefined {
  const clusters = apps.filter((app) => {
    const isHere = typeof app.cwd !== "string" || relative(projectDir, resolve(projectDir, app.cwd)) === "";
    return isHere && (/^cluster/.test(String(app.exec_mode)) || !isOneProcess(app.instances));
  });
  return clusters.length === 1 ? clusters[0] : undefined;
}

/** @param job what it would be as a job */
export function gatewayOf(app: App, { name, command, env = {}, grace }: DraftJob): DraftGateway {
  const { PORT, ...others } = env;
  const port = /^\d{1,5}$/.test(PORT ?? "") ? Number(PORT) : undefined;
  const memory = String(app.max_memory_restart ?? "");
  const startMs = Number(app.listen_timeout);
  const ignored = [app.ignore_watch ?? []].flat().map((path) => String(path).replace(/^\.\//, ""));
  return {
    ...(port !== undefined && { port }),
    ...(!isWatched(app) && { mode: "prod" }),
    app: {
      ...{ name, command, instances: instancesOf(app.instances) },
      ...(Object.keys(others).length > 0 && { env: others }),
      ...(parseBytes(memory) !== undefined && { memory }),
      ...(grace !== undefined && { grace }),
      ...(startMs > 0 && { start_timeout: `${startMs}ms` }),
      ...(ignored.length > 0 && { ignore: ignored }),
    },
  };
}

export function notesOnServed(app: App, path: string): Note[] {
  const wanted = Number(app.instances);
  const isCounted = app.instances === undefined || wanted > 0;
  return [
    {
      key: `${path}.exec_mode`,
      reason:
        "the processes are the gateway's: each listens on the $PORT that it gets, and the gateway on the port of before",
      instead: isWatched(app)
        ? "a save replaces them"
        : "warren gateway refresh replaces them, without a failed request",
    },
    ...(isCounted
      ? []
      : [{ key: `${path}.instances`, reason: `${app.instances} is ${instancesOf(app.instances)} on this machine` }]),
  ];
}

export const isOneProcess = (instances: unknown): boolean => instances === undefined || Number(instances) === 1;

const isWatched = ({ watch }: App): boolean => watch === true || (Array.isArray(watch) && watch.length > 0);

/** pm2: `max` and 0 are one for each core, −1 is one less. */
function instancesOf(written: unknown): number {
  const count = Number(written ?? 1);
  if (count > 0) return Math.min(100, Math.round(count));
  return Math.max(1, availableParallelism() + (count < 0 ? count : 0));
}
