import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";
import { SESSION_CONDITION_HELP, sessionCondition, waitForSession } from "../sessions/wait-for-session.ts";
import { usageError } from "../usage-error.ts";
import { durationOf } from "../values.ts";

export const send = defineCommand({
  usage: ["send SESSION TEXT… [--enter] [--wait-for CONDITION]", "send SESSION -          (from standard input)"],
  details:
    "Types into a session, without attaching. In TEXT, \\n is the enter key, \\t the tab key, \\e escape, \\xHH a byte, \\\\ a backslash; several are joined by blanks. Nobody else's paste is cut in two by it. With --wait-for it returns when the session is idle again, or has written something since.",
  examples: [
    { command: "warren send fox 'make test\\n'", does: "types a command and presses enter" },
    { command: "warren send fox --enter make test --wait-for idle", does: "and waits until the prompt is back" },
    { command: "cat plan.md | warren send fox -", does: "types what it reads, byte for byte" },
  ],
  options: {
    enter: { type: "boolean", short: "e", description: "press enter after it" },
    "wait-for": { type: "string", value: "CONDITION", description: `then wait: ${SESSION_CONDITION_HELP}` },
    timeout: { type: "string", value: "DURATION", description: "wait no longer than this; status 124" },
    later: LATER_OPTION,
    json: JSON_OPTION,
  },
  operands: { kinds: ["session", "text"], min: 2, max: Number.POSITIVE_INFINITY },
  async run(context, { values, operands }) {
    const { output } = context;
    const [reference = "", ...words] = operands;
    const text = words.length === 1 && words[0] === "-" ? await standardInput() : typed(words.join(" "));
    if (values.later !== undefined) {
      if (values["wait-for"] !== undefined) throw usageError("With --later nobody waits: leave --wait-for out.");
      const [{ keepLater }, { unitKnown }] = await Promise.all([
        import("../on/later/keep-later.ts"),
        import("../on/later/unit-known.ts"),
      ]);
      return keepLater(context, values, (known) => {
        const { id } = unitKnown(known, reference, "send", "session");
        const data = values.enter ? `${text}\r` : text;
        return [{ type: "session.send", payload: { session: id, data }, unit: id, what: `send ${reference}` }];
      });
    }
    const asked = values["wait-for"];
    const condition = asked === undefined ? undefined : sessionCondition("--wait-for", asked);
    const timeoutMs = durationOf("--timeout", values.timeout);
    const handle = await sessionNamed(context, reference, "send");
    const { client, id } = handle;
    const { session: before } = await client.request("session.get", { session: id });
    const whole = values.enter ? `${text}\r` : text;
    let bytes = 0;
    let session: Awaited<ReturnType<typeof sendPart>>["session"] | undefined;
    const sendPart = (data: string) => client.request("session.send", { session: id, data });
    for (let at = 0; at < whole.length || at === 0; at += PART_CHARACTERS) {
      const answer = await sendPart(whole.slice(at, at + PART_CHARACTERS));
      bytes += answer.bytes;
      session = answer.session;
    }
    if (asked !== undefined && condition !== undefined) {
      const since = before.output_bytes;
      return waitForSession(context, handle, {
        conditions: [condition],
        texts: [asked],
        mode: "any",
        timeoutMs,
        json: values.json,
        quiet: true,
        since,
      });
    }
    if (values.json) output.json({ session, bytes });
    else if (output.isTerminal && session)
      output.line(output.style.dim(`Typed ${bytes} bytes into ${sessionTitle(context, session)}`));
    return EXIT.ok;
  },
});

/** A line of the protocol holds a mebibyte, and JSON may write a character in six bytes. */
const PART_CHARACTERS = 128 * 1024;

const KEYS: Record<string, string> = { n: "\r", r: "\r", t: "\t", e: "\x1b", "\\": "\\", 0: "\0" };

/** Enter is a carriage return to a terminal. */
const typed = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{2}|[nrte\\0])/g, (_, key: string) =>
    key.startsWith("x") ? String.fromCharCode(Number.parseInt(key.slice(1), 16)) : KEYS[key]!,
  );

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
