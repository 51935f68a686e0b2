import { ipcTools } from "./compat/ipc-tools.ts";
import { shareCommand } from "./compat/share-command.ts";
import { shareFile } from "./compat/share-file.ts";
import { upstreamNames } from "./compat/upstream-names.ts";
import { jobAwait } from "./jobs/job-await.ts";
import { jobList } from "./jobs/job-list.ts";
import { jobLogs } from "./jobs/job-logs.ts";
import { jobRun } from "./jobs/job-run.ts";
import { jobStop } from "./jobs/job-stop.ts";
import { jobWait } from "./jobs/job-wait.ts";
import { ack } from "./mail/ack.ts";
import { ask } from "./mail/ask.ts";
import { check } from "./mail/check.ts";
import { listAgents } from "./mail/list-agents.ts";
import { register } from "./mail/register.ts";
import { reply } from "./mail/reply.ts";
import { send } from "./mail/send.ts";
import { status } from "./mail/status.ts";
import { wait } from "./mail/wait.ts";
import { sessionList } from "./sessions/session-list.ts";
import { sessionRead } from "./sessions/session-read.ts";
import { sessionSend } from "./sessions/session-send.ts";
import type { AnyTool } from "./tool.ts";

/** `claude-ipc`: also the names and arguments of claude-ipc-mcp. */
export type Compat = "claude-ipc";

export function toolsFor({
  compat,
  allowCommands,
}: {
  compat?: Compat | undefined;
  allowCommands: boolean;
}): readonly AnyTool[] {
  if (compat === undefined) return TOOLS;
  const replaced = new Map(upstreamNames.map((tool) => [tool.name, tool]));
  const ours = TOOLS.map((tool) => replaced.get(tool.name) ?? tool);
  return [...ours, ...ipcTools, shareFile, shareCommand(allowCommands)];
}

/** All tools, in the order in which a client lists them. */
const TOOLS: readonly AnyTool[] = [
  register,
  send,
  check,
  ack,
  ask,
  reply,
  wait,
  listAgents,
  status,
  jobRun,
  jobAwait,
  jobWait,
  jobLogs,
  jobList,
  jobStop,
  sessionList,
  sessionSend,
  sessionRead,
];
