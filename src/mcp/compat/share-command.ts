import * as z from "zod";
import { parseCommand } from "../../config/command-line.ts";
import { projectOf } from "../../config/project-of.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { lastRun, readLog } from "../jobs/read-log.ts";
import { RecipientView, recipientLine, recipientView } from "../mail/message-view.ts";
import { type AnyTool, type Call, DESTROYS, defineTool } from "../tool.ts";
import { waiting } from "../wait-window.ts";
import type { World } from "../world.ts";

const RUN_MS = 30_000;
const OUTPUT_BYTES = 64 * 1024;

/** claude-ipc-mcp's tool that runs a command and sends what it says. Refused unless whoever started us has allowed it: another agent's mail may have asked for it. */
export const shareCommand = (isAllowed: boolean): AnyTool =>
  defineTool({
    name: "share_command",
    title: "Run a command and send its output",
    description: isAllowed
      ? "Runs a command as a job for at most 30 s, and sends its output."
      : "Refused here: run the command with job_run, and send what it says.",
    annotations: { ...DESTROYS, openWorldHint: true },
    input: z.object({
      from_id: z.string().optional().describe("Not needed: it is known who you are."),
      to_id: z.string(),
      command: z.string(),
      description: z.string().optional(),
    }),
    output: z.object({
      id: z.string(),
      job: z.string(),
      status: z.number().optional(),
      recipients: z.array(RecipientView),
    }),
    async run(world, { to_id, command, description }, call) {
      if (!isAllowed) throw refused();
      const ran = await runIt(world, call, command);
      const data = { type: "command", command, stdout: ran.stdout, stderr: ran.stderr, returncode: ran.status ?? null };
      const { message, recipients } = await world.mail.speak("mail.send", {
        to: [to_id],
        body: `Command output: ${command}${description === undefined ? "" : ` - ${description}`}`,
        data: { ...data, ...(description === undefined ? {} : { description }) },
      });
      return {
        data: {
          id: message.id,
          job: ran.job,
          recipients: recipients.map(recipientView),
          ...(ran.status === undefined ? {} : { status: ran.status }),
        },
        text: [`Sent the output of job ${ran.job} (${message.id}).`, ...recipients.map(recipientLine)].join(" "),
      };
    },
  });

const refused = (): WarrenError =>
  new WarrenError(
    "COMMAND_REFUSED",
    "share_command is switched off: it would run whatever a message talks an agent into.",
    {
      fix: "warren mcp --compat claude-ipc --allow-commands",
    },
  );

async function runIt(world: World, call: Call, command: string) {
  const parsed = parseCommand(command);
  if (parsed.kind === "invalid")
    throw new WarrenError("COMMAND_INVALID", `The command cannot be read: ${parsed.reason}.`);
  const { primary, env, cwd } = world;
  const project = projectOf(cwd);
  const { job } = await primary.request("add", {
    command: parsed.argv,
    workdir: cwd,
    env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    timeout_ms: RUN_MS,
    ...(project === undefined ? {} : { project }),
  });
  const ended = await waiting(world, call, { totalMs: RUN_MS, message: command }, () =>
    primary.request(
      "wait",
      { job_id: job.id, conditions: [{ kind: "exit" }], timeout_ms: RUN_MS + 5_000 },
      { signal: call.signal },
    ),
  );
  const run = lastRun(ended.job);
  const read = async (stream: "stdout" | "stderr"): Promise<string> =>
    (await readLog(run, { streams: [stream], maxBytes: { bytes: OUTPUT_BYTES, keep: "last" } })).text;
  const { outcome } = ended.job;
  const status = outcome && outcome.kind !== "lost" ? outcome.status : undefined;
  return { job: job.id, status, stdout: await read("stdout"), stderr: await read("stderr") };
}
