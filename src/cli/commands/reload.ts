import { join } from "node:path";
import { reloadServer } from "../../local/reload-server.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { KeeperServer } from "../../protocol/keeper-calls.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { isServing, readEntries } from "../../registry/entries.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { lastLogLines } from "../log-end.ts";
import { clientOf, type NamedServer, serverNamed } from "../named-server.ts";
import { serverTitle } from "../render/server-title.ts";
import { showWait } from "../render/wait-line.ts";

export const reload = defineCommand({
  usage: ["reload [SERVER] [--json]"],
  details:
    "Replaces a server's process by a new one of this build, the primary's without a name. Jobs and sessions go on, and clients notice nothing. When the new one does not start, the old one stays.",
  examples: [
    { command: "warren reload", does: "after an upgrade: the server runs the new code" },
    { command: "warren reload blazing", does: "that server alone" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["server"], min: 0 },
  async run(context, { values, operands }) {
    const { output } = context;
    const server = await serverAsked(context, operands[0]);
    const wait = showWait(output, { what: `${server.name} is replaced`, expectedMs: undefined });
    const fresh = await replace(context, server.name).finally(() => wait.erase());
    if (values.json) output.json({ ...fresh, from: server.git_hash });
    else {
      output.line(
        `Server ${serverTitle(output, server)} reloaded: ${server.git_hash} → ${fresh.hash}, generation ${fresh.generation}, pid ${fresh.pid}. Jobs and sessions go on.`,
      );
      if (fresh.fellBack) output.errorLine(fresh.fellBack);
    }
    return EXIT.ok;
  },
});

/** One that was killed just now has a successor in a moment, whom its socket waits for. @throws SERVER_NOT_FOUND, NO_SERVER */
async function serverAsked(context: Context, name: string | undefined): Promise<NamedServer> {
  const entry = readEntries(context.places.serversDir).find((one) => name === undefined || one.name === name);
  if (entry && !isServing(entry)) {
    const client = clientOf(context, entry);
    try {
      await client.request("ping", {});
    } catch (error) {
      if (!isWarrenError(error)) throw error; // nobody comes after it, which is said below
    } finally {
      client.close();
    }
  }
  return serverNamed(context, name);
}

/** With the end of its log, where a new build says why it does not start. */
async function replace({ places, build, output }: Context, name: string): Promise<KeeperServer> {
  try {
    return await reloadServer(places, build, name);
  } catch (error) {
    for (const line of await lastLogLines(join(places.serverLogsDir, `${name}.log`), 10))
      output.errorLine(output.errorStyle.dim(line));
    throw error;
  }
}
