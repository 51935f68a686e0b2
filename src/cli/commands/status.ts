import { formatBytes, formatDuration } from "../../protocol/durations.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { ServerStatus } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { plural } from "../render/plural.ts";
import { serverTitle } from "../render/server-title.ts";

export const status = defineCommand({
  usage: ["status [--json]"],
  details: "Shows facts about the server that has the jobs. Starts nothing.",
  examples: [
    { command: "warren status", does: "name, build, uptime, jobs, memory" },
    { command: "warren status --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output } = context;
    const facts = await statusIfRunning(context);
    if (values.json) output.json(facts ? { running: true, ...facts } : { running: false });
    else if (!facts) output.line("No server is running");
    else for (const line of statusLines(context, facts)) output.line(line);
    return EXIT.ok;
  },
});

async function statusIfRunning(context: Context): Promise<ServerStatus | undefined> {
  try {
    return await context.client("find").request("status", {});
  } catch (error) {
    if (isWarrenError(error, "NO_SERVER")) return undefined;
    throw error;
  }
}

function statusLines({ output, build }: Context, facts: ServerStatus): string[] {
  const isOld = facts.git_hash !== build.hash;
  const rows: [string, string][] = [
    ["Server", serverTitle(output, { icon: facts.icon, name: facts.server })],
    ["Build", `v${facts.version} ${facts.git_hash}${isOld ? ` (old code: this is ${build.hash})` : ""}`],
    ["Process", `pid ${facts.pid}, generation ${facts.generation}, up ${formatDuration(facts.uptime_ms)}`],
    [
      "Jobs",
      `${plural(facts.job_count, "job")}, ${facts.running_job_count} running, ${plural(facts.run_count, "run")}`,
    ],
    ["Clients", `${plural(facts.client_count, "client")}, ${plural(facts.subscriber_count, "subscriber")}`],
    ["Memory", `${formatBytes(facts.memory_bytes)}, ${formatBytes(facts.queued_bytes)} waiting for clients`],
    ["Home", facts.home],
    ["Socket", facts.socket],
    ["Last error", facts.last_error ? `${facts.last_error.message} (${facts.last_error.at})` : "none"],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${output.style.dim(label.padEnd(width))}  ${text}`);
}
