import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Finding } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { clientFindings } from "../doctor/client-findings.ts";
import { aliveServers, clientOf, type NamedServer } from "../named-server.ts";
import type { Output } from "../output.ts";

export const doctor = defineCommand({
  usage: ["doctor [--json]"],
  details:
    "Checks this machine, the home, the keeper and the server, and says what to type where something is wrong. Starts nothing and changes nothing.",
  examples: [
    { command: "warren doctor", does: "what is well and what is not" },
    { command: "warren doctor --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output } = context;
    const isHere = context.machine === undefined;
    const [ours, theirs, others] = await Promise.all([
      isHere ? clientFindings(context) : [],
      serverFindings(context),
      isHere ? silentServers(context) : [],
    ]);
    const findings = [...ours, ...theirs, ...others];
    if (values.json) output.json({ findings });
    else if (findings.length === 0) output.line("Nothing is wrong");
    else for (const finding of findings) for (const line of findingLines(output, finding)) output.line(line);
    return findings.some(({ level }) => level === "error") ? EXIT.failed : EXIT.ok;
  },
});

async function serverFindings(context: Context): Promise<Finding[]> {
  try {
    return (await context.client("find").request("doctor", {}, { timeoutMs: ANSWER_TIMEOUT_MS })).findings;
  } catch (error) {
    if (context.machine) throw error;
    if (isWarrenError(error, "NO_SERVER")) return [];
    const [primary] = aliveServers(context.places.serversDir);
    if (primary) return [silentServer(primary, error)];
    return [{ level: "error", subject: "server", text: messageOf(error), fix: "warren reload" }];
  }
}

/** Those beside the primary: they have sessions. */
async function silentServers(context: Context): Promise<Finding[]> {
  const others = aliveServers(context.places.serversDir).filter(({ primary }) => !primary);
  const findings = others.map(async (server): Promise<Finding[]> => {
    const client = clientOf(context, server);
    try {
      await client.request("ping", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
      return [];
    } catch (error) {
      return [silentServer(server, error)];
    } finally {
      client.close();
    }
  });
  return (await Promise.all(findings)).flat();
}

const silentServer = ({ name, pid }: NamedServer, error: unknown): Finding => ({
  level: "error",
  subject: "server",
  text: `${name} (pid ${pid}) does not answer: ${messageOf(error)}`,
  fix: `warren reload ${name}`,
});

/** A server that takes longer has a problem. */
const ANSWER_TIMEOUT_MS = 5_000;

const MARKS = {
  ok: { glyph: "✓", plain: "ok", tone: "good" },
  warning: { glyph: "◆", plain: "!", tone: "attention" },
  error: { glyph: "✗", plain: "x", tone: "bad" },
} as const;

function findingLines({ style, glyphs, isTerminal }: Output, { level, subject, text, fix }: Finding): string[] {
  const { glyph, plain, tone } = MARKS[level];
  const mark = isTerminal ? style.tone(tone, glyphs ? glyph : plain.padEnd(2)) : level.padEnd(7);
  return [
    `${mark} ${subject.padEnd(SUBJECT_WIDTH)} ${text}`,
    ...(fix && level !== "ok" ? [style.dim(`  ${fix}`)] : []),
  ];
}

const SUBJECT_WIDTH = 12;
