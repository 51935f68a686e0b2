import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureServer, findKeeper, KEEPER_GREETING_MS } from "../../local/ensure-server.ts";
import type { KeeperConnection } from "../../local/keeper-client.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { KeeperServer } from "../../protocol/keeper-calls.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { serverIcon } from "../../registry/names.ts";
import { followBytes } from "../../runs/logs/follow.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { aliveServers, clientOf } from "../named-server.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";

const LOOK_AGAIN_MS = 100;

export const serve = defineCommand({
  usage: ["serve [--server-name NAME] [--foreground] [--boot] [--json]"],
  details:
    "Starts this build's server, or finds it. Every command does so by itself; this is for supervisors. In the foreground it prints the server's log and stays until the server ends; Ctrl-C ends the server, and jobs go on.",
  examples: [
    { command: "warren serve", does: "starts the server and returns" },
    { command: "warren serve --foreground", does: "for systemd, or to watch its log" },
  ],
  options: {
    "server-name": { type: "string", value: "NAME", description: "the name for a server that is started" },
    foreground: { type: "boolean", description: "stay until the server ends, and print its log" },
    boot: { type: "boolean", description: "start the jobs that are marked autostart, as when the machine starts" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, places, build, env } = context;
    const serverName = values["server-name"];
    const logPath = (name: string): string => join(places.serverLogsDir, `${name}.log`);
    const server = await ensureServer({ places, build, env, ...(serverName === undefined ? {} : { serverName }) });
    const logFromBytes = await stat(logPath(server.name)).then(
      ({ size }) => size,
      () => 0,
    );
    if (values.json) output.json(server);
    else
      output.line(
        `Server ${serverTitle(output, { icon: serverIcon(server.name), name: server.name })} runs (pid ${server.pid})`,
      );
    if (values.boot) await startMarkedJobs(context);
    return values.foreground ? stay(context, server, { path: logPath(server.name), fromBytes: logFromBytes }) : EXIT.ok;
  },
});

/** With the environment that was stored when they were started last. One that cannot start is said, and holds back no other. */
async function startMarkedJobs({ client, output }: Context): Promise<void> {
  const { jobs } = await client().request("list", {});
  for (const job of jobs.filter(({ autostart, status, blocked }) => autostart && status === "stopped" && !blocked)) {
    try {
      await client().request("start", { job_id: job.id });
    } catch (error) {
      output.errorLine(`Job ${job.name ?? job.id} did not start: ${messageOf(error)}`);
    }
  }
}

async function stay(context: Context, server: KeeperServer, log: { path: string; fromBytes: number }): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  const ended = serverEnded(context, server, interrupted);
  for await (const bytes of followBytes({ ...log, ended, signal: interrupted })) await output.bytes("stdout", bytes);
  await ended;
  if (!interrupted.aborted) {
    output.errorLine(`Server ${server.name} has ended`);
    return EXIT.ok;
  }
  const alive = aliveServers(context.places.serversDir).find(({ name }) => name === server.name);
  if (!alive) return EXIT.ok;
  const client = clientOf(context, alive);
  const { running_jobs } = await client.request("shutdown", {}).finally(() => client.close());
  output.errorLine(
    `Server ${server.name} shut down; ${plural(running_jobs, "job")} ${running_jobs === 1 ? "goes" : "go"} on.`,
  );
  return EXIT.ok;
}

/** Resolves when the keeper holds the server no more: a generation that is replaced closes its connections too. */
async function serverEnded({ places }: Context, server: KeeperServer, interrupted: AbortSignal): Promise<void> {
  while (!interrupted.aborted) {
    await connectionClosed(server.socketPath, interrupted);
    const keeper = interrupted.aborted ? undefined : await findKeeper(places);
    if (!keeper) return;
    const close = (): void => keeper.close();
    interrupted.addEventListener("abort", close, { once: true });
    if (interrupted.aborted) close();
    const held = await isHeld(keeper, server.name).finally(close);
    interrupted.removeEventListener("abort", close);
    if (!held) return;
    await new Promise((wake) => setTimeout(wake, LOOK_AGAIN_MS));
  }
}

/** A keeper that is silent holds what it held. */
async function isHeld(keeper: KeeperConnection, server: string): Promise<boolean> {
  try {
    await keeper.greet(KEEPER_GREETING_MS);
    const { servers } = await keeper.call({ call: "list" });
    return servers.some(({ name, state }) => name === server && state !== "failed" && state !== "ending");
  } catch (error) {
    return isWarrenError(error, "KEEPER_SILENT");
  }
}

async function connectionClosed(socketPath: string, interrupted: AbortSignal): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const wire = await dialUnix(socketPath, { onLine: () => {}, onClose: resolve }).catch(() => undefined);
  if (!wire) return;
  const onAbort = (): void => wire.close();
  interrupted.addEventListener("abort", onAbort, { once: true });
  if (interrupted.aborted) onAbort();
  await closed;
  interrupted.removeEventListener("abort", onAbort);
}
