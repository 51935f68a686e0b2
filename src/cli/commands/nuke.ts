import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { liveSessions } from "../../local/find-session.ts";
import { readKeeperEntry } from "../../local/keeper-client.ts";
import { endMailbox } from "../../local/mail-end.ts";
import { isAlive } from "../../platform/process.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { aliveServers, clientOf, ended, type NamedServer } from "../named-server.ts";
import { plural } from "../render/plural.ts";
import { durationOf } from "../values.ts";

const END_TIMEOUT_MS = 15_000;
/** It ends by itself a little later, so this is no error. */
const KEEPER_END_TIMEOUT_MS = 3_000;
const POLL_MS = 10;

export const nuke = defineCommand({
  usage: ["nuke [--all] [--force | --grace DURATION] [--json]"],
  details:
    "Stops every job and session, removes jobs, runs and logs, and ends every server. Mail, keys, devices and saved sessions stay, unless --all is given. It asks nothing. Nothing running is no error.",
  examples: [
    { command: "warren nuke", does: "stops and removes everything that runs" },
    { command: "warren nuke --grace 1s", does: "with SIGKILL after a second" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "mail, keys, devices and saved sessions too" },
    force: { type: "boolean", short: "f", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between SIGTERM and SIGKILL" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, places } = context;
    const graceMs = values.force ? 0 : durationOf("--grace", values.grace);
    const request = { all: values.all === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    const before = aliveServers(places.serversDir);
    const sessionCount = liveSessions(places).length;
    // Jobs go on without a server, so one is started to stop them.
    const isAnythingThere = before.length > 0 || existsSync(places.stateDb);
    const result = isAnythingThere
      ? await context.client().request("nuke", request)
      : { stopped: 0, removed: 0, survivors: [] };
    const serverCount = await endServers(context, before);
    const mailbox = await endMailbox(context); // only now does nobody of ours start it again
    // Only now does nobody write there any more.
    if (values.all)
      for (const dir of [places.sessionsDir, places.mailDir, places.remoteDir])
        await rm(dir, { recursive: true, force: true });
    if (values.json) output.json({ ...result, servers: serverCount, sessions: sessionCount });
    else if (before.length === 0 && result.removed === 0)
      output.line(
        mailbox
          ? `Ended the mailbox; nothing else runs${values.all ? "" : ", its mail stays"}`
          : "Nothing runs; nothing was removed",
      );
    else output.line(sentence(result, before.length, sessionCount));
    if (result.survivors.length === 0) return EXIT.ok;
    throw new WarrenError(
      "TREE_SURVIVED",
      `${plural(result.survivors.length, "process", "processes")} survived SIGKILL: ${result.survivors.join(", ")}.`,
      {
        fix: `ps -fp ${result.survivors.join(",")}`,
      },
    );
  },
});

const sentence = ({ stopped, removed }: DataOf<"nuke">, serverCount: number, sessionCount: number): string => {
  const sessions = sessionCount > 0 ? `, ended ${plural(sessionCount, "session")}` : "";
  return `Stopped ${plural(stopped, "job")}, removed ${plural(removed, "job")} with runs and logs${sessions}, ended ${plural(serverCount, "server")}`;
};

/** The primary ends itself; the others are told to. Answers how many there were, when all and the keeper are gone. */
async function endServers(context: Context, before: readonly NamedServer[]): Promise<number> {
  const servers = new Map(
    [...before, ...aliveServers(context.places.serversDir)].map((server) => [server.pid, server]),
  );
  const others = [...servers.values()].filter(({ primary }) => !primary);
  await Promise.all(others.map((server) => shutDown(context, server)));
  const results = await Promise.all([...servers.values()].map((server) => ended(server, END_TIMEOUT_MS)));
  await keeperEnded(context);
  if (results.every(Boolean)) return servers.size;
  const left = aliveServers(context.places.serversDir).map(({ pid }) => pid);
  throw new WarrenError("SERVER_STAYS", `Servers have not ended in 15 s: pid ${left.join(", ")}.`, {
    fix: `kill -9 ${left.join(" ")}`,
  });
}

/** It may have ended by itself. */
async function shutDown(context: Context, server: NamedServer): Promise<void> {
  const client = clientOf(context, server);
  await client.request("shutdown", { force: true }).catch(() => {});
  client.close();
}

/** The keeper ends at SIGTERM when it holds nothing any more; until then it ignores it. */
async function keeperEnded({ places }: Context): Promise<void> {
  const entry = readKeeperEntry(places.keeperFile);
  if (!entry) return;
  const identity = { bootId: entry.boot_id, pid: entry.pid, startTicks: entry.start_ticks };
  const deadlineMs = performance.now() + KEEPER_END_TIMEOUT_MS;
  while (isAlive(identity) && performance.now() < deadlineMs) {
    try {
      process.kill(entry.pid, "SIGTERM");
    } catch {
      return; // gone between the two looks
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}
