import { EXIT } from "../../protocol/outcome.ts";
import type { Context } from "../context.ts";
import type { LogSelection } from "../log-flags.ts";
import { usageError } from "../usage-error.ts";
import { agentOf, followAgent, printConversation } from "./agent-logs.ts";
import type { SessionHandle } from "./session-client.ts";
import { journalOf } from "./session-journal.ts";
import { followLines, historyLines } from "./session-output.ts";

/** `warren logs` of a session: what its terminal showed, as lines, or an agent's conversation. It has one stream, and a screen knows no times of lines. */
const FOLLOWED_BEFORE_LINES = 10;

export async function sessionLogs(context: Context, handle: SessionHandle, wanted: LogSelection): Promise<number> {
  const { output } = context;
  const { name } = handle;
  if (wanted.cursor !== undefined || wanted.maxBytes !== undefined || wanted.streams.length === 1)
    throw usageError(
      `${name} is a session: --cursor, --stream and --max-bytes are for jobs.`,
      `warren logs ${name} --tail 100`,
    );
  const agent = await agentOf(handle);
  if (wanted.sinceMs !== undefined && (!agent || wanted.follow))
    throw usageError(
      `${name} is a session: --since is for jobs, and for what an agent said so far.`,
      `warren logs ${name} --tail 100`,
    );
  if (agent)
    return wanted.follow && agent.status === "running"
      ? followAgent(context, handle, wanted)
      : printConversation(context, handle, wanted);
  const print = async (line: string): Promise<void> => {
    if (wanted.grep && !wanted.grep(Buffer.from(line))) return;
    await output.bytes("stdout", wanted.json ? `${JSON.stringify({ session: name, line })}\n` : `${line}\n`);
  };
  const journal = await journalOf(context, handle);
  if (!wanted.follow) {
    for await (const line of historyLines(journal, wanted.tailLines)) await print(line);
    return EXIT.ok;
  }
  const signal = context.interrupted();
  const tail = wanted.tailLines ?? FOLLOWED_BEFORE_LINES;
  for await (const line of followLines(journal, { tail, signal })) await print(line);
  if (!signal.aborted) return EXIT.ok;
  output.errorLine(`Stopped following; ${name} goes on.`);
  return EXIT.interrupted;
}
