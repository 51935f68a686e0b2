import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { clientOf, ended, serverNamed } from "../named-server.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";

/** A server that was told to end finishes what is in hand; past this something is wrong. */
const END_TIMEOUT_MS = 15_000;

export const shutdown = defineCommand({
  usage: ["shutdown [SERVER] [--force] [--json]"],
  details:
    "Ends a server, the primary without a name. Its jobs go on, and the next command finds them again. Nothing running is no error.",
  examples: [
    { command: "warren shutdown", does: "ends the primary server" },
    { command: "warren shutdown frozen", does: "ends the server frozen" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "also when it has live sessions" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["server"], min: 0 },
  async run(context, { values, operands }) {
    const { output } = context;
    const server = serverIfRunning(context, operands[0]);
    if (!server) {
      if (values.json) output.json({ running: false });
      else output.line("No server is running");
      return EXIT.ok;
    }
    const client = clientOf(context, server);
    const { running_jobs } = await client
      .request("shutdown", { force: values.force === true })
      .finally(() => client.close());
    if (!(await ended(server, END_TIMEOUT_MS))) {
      throw new WarrenError("SERVER_STAYS", `Server ${server.name} (pid ${server.pid}) has not ended in 15 s.`, {
        fix: `kill -9 ${server.pid}      # jobs go on`,
      });
    }
    if (values.json) output.json({ server: server.name, running_jobs });
    else
      output.line(
        `Server ${serverTitle(output, server)} shut down; ${plural(running_jobs, "job")} ${running_jobs === 1 ? "goes" : "go"} on.`,
      );
    return EXIT.ok;
  },
});

function serverIfRunning(context: Parameters<typeof serverNamed>[0], name: string | undefined) {
  try {
    return serverNamed(context, name);
  } catch (error) {
    if (isWarrenError(error, "NO_SERVER")) return undefined;
    throw error;
  }
}
