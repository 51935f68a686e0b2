import { EXIT } from "../../protocol/outcome.ts";
import { removeStaleDebugSockets } from "../../registry/debug-sockets.ts";
import { sessionIcon } from "../../registry/session-names.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { aliveServers, type NamedServer } from "../named-server.ts";
import type { Output } from "../output.ts";
import { shortAge } from "../render/ages.ts";
import { serverTitle } from "../render/server-title.ts";
import { OLD_CODE } from "../render/states.ts";

type ShownServer = Pick<
  NamedServer,
  "name" | "socket" | "git_hash" | "version" | "pid" | "started_at" | "primary" | "icon" | "generation" | "sessions"
> &
  Partial<Pick<NamedServer, "debug_socket">>;

export const servers = defineCommand({
  usage: ["servers [--json]"],
  details:
    "Shows the servers of this home. Several can run side by side, one for each build; the primary has the jobs. Starts nothing.",
  examples: [
    { command: "warren servers", does: "one line a server" },
    { command: "warren servers --json", does: "an object by name" },
  ],
  options: { json: { type: "boolean", description: "print a JSON object by name" } },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, places, build, nowMs } = context;
    const alive = context.machine ? await serversOfMachine(context) : aliveServers(places.serversDir);
    if (!context.machine) await removeStaleDebugSockets(places.socketDir, new Set(alive.map(({ name }) => name)));
    if (values.json) output.json(Object.fromEntries(alive.map(jsonOf)));
    else if (alive.length === 0) output.line("No servers running");
    for (const server of values.json ? [] : alive) {
      const facts = [
        server.primary ? "primary" : "",
        `pid ${server.pid}`,
        `up ${shortAge(nowMs() - Date.parse(server.started_at))}`,
      ];
      const isOld = server.git_hash !== build.hash;
      const old = isOld ? `  ${output.style.tone(OLD_CODE.tone, OLD_CODE.word, OLD_CODE.dim)}` : "";
      output.line(
        `${serverTitle(output, server)}  v${server.version} ${server.git_hash}  ${facts.filter(Boolean).join("  ")}${old}${sessionsText(output, server)}`,
      );
    }
    return EXIT.ok;
  },
});

/** Those that can be asked. */
async function serversOfMachine(context: Context): Promise<ShownServer[]> {
  const { askServersThere } = await import("../on/servers-there.ts");
  return (await askServersThere(context)).flatMap(({ status, sessions }) =>
    status
      ? [
          {
            ...status,
            name: status.server,
            sessions: sessions.map(({ id, name, kind, port }) => ({
              id,
              name,
              ...(kind === "agent" ? { kind } : {}),
              ...(port === undefined ? {} : { port }),
            })),
          },
        ]
      : [],
  );
}

/** `: 🦊 fox, 🦉 owl` */
function sessionsText(output: Output, { sessions = [] }: ShownServer): string {
  if (sessions.length === 0) return "";
  const names = sessions.map(({ name }) =>
    output.isTerminal && output.glyphs ? `${sessionIcon(name)} ${output.style.bold(name)}` : name,
  );
  return `: ${names.join(", ")}`;
}

function jsonOf({
  name,
  socket,
  debug_socket,
  git_hash,
  version,
  pid,
  started_at,
  primary,
  icon,
  generation,
  sessions = [],
}: ShownServer): [string, object] {
  return [name, { socket, debug_socket, git_hash, version, pid, started_at, primary, icon, generation, sessions }];
}
