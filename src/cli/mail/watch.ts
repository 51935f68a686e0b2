import { createInterface } from "node:readline";
import { messageOf } from "../../protocol/errors.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { neverTaken } from "../../protocol/mail-words.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { suggest } from "../../protocol/suggest.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { messageLines } from "./message-text.ts";
import { type Speaker, speaker } from "./open-mail.ts";
import { checkAddress } from "./recipients.ts";
import { escapedLine } from "./untrusted-text.ts";
import { Answers } from "./watch-answers.ts";
import { type Typing, WatchPrompt } from "./watch-prompt.ts";
import { leaderLine, watchedLines } from "./watch-text.ts";
import { type Led, Traffic } from "./watch-traffic.ts";
import { WHO_OPTIONS } from "./who.ts";

export const watch = defineCommand({
  usage: ["mail watch [--with NAME] [--json]"],
  details: `Shows every message of this machine as it is sent, and takes none of them. What you type answers: the line says to whom it goes, which is whoever wrote last,
and \`@owl text\` goes to owl (or to a group). A session or agent sees what it has sent and received itself. Ctrl-C ends the view alone.`,
  examples: [
    { command: "warren mail watch", does: "everything, live" },
    { command: "warren mail watch --with owl --json", does: "to and from owl, a JSON object a line" },
  ],
  options: {
    with: { type: "string", value: "NAME", description: "only to and from this participant" },
    json: { type: "boolean", description: "print a JSON object a line" },
    ...WHO_OPTIONS,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    if (values.with !== undefined) checkAddress(values.with, "warren mail watch --with owl");
    const interrupted = context.interrupted();
    const me = await speaker(context, values);
    const answers = new Answers(context, me);
    const view = viewOf(context, values.json === true, answers);
    const isPartial = values.as !== undefined || me.who.unit !== undefined || context.output.isTerminal;
    const traffic = new Traffic(me.client, {
      // Who has said no name, and has no terminal either, is a program that looks on.
      ...(isPartial ? { as: me.who.name } : {}),
      ...(values.with === undefined ? {} : { with: values.with }),
    });
    try {
      if (values.with !== undefined) await tellUnknown(context, me, values.with);
      await traffic.follow(view, interrupted);
    } catch (error) {
      if (!interrupted.aborted) throw error;
    } finally {
      view.close();
    }
    return EXIT.ok;
  },
});

/** Of whom nothing may ever be seen. */
async function tellUnknown({ output }: Context, { client }: Speaker, name: string): Promise<void> {
  const names = (await client.request("mail.list", {})).participants.map((one) => one.name);
  if (names.includes(name)) return;
  const near = suggest(name, names);
  const meant = near === undefined ? "" : ` Did you mean ${escapedLine(near)}?`;
  output.errorLine(`! ${neverTaken(escapedLine(name))}: it is shown when there is mail for it.${meant}`);
}

interface View {
  begun(): void;
  show(messages: readonly MailMessage[]): Promise<void>;
  led(leader: Led): void;
  close(): void;
}

/** With a terminal at both ends one types below what is shown; with one at the input alone, blindly. */
function viewOf(context: Context, isJson: boolean, answers: Answers): View {
  const { output, nowMs, env } = context;
  const hasPrompt = process.stdin.isTTY === true && output.isTerminal && !isJson && env.TERM !== "dumb";
  const typing: Typing = hasPrompt
    ? new WatchPrompt(answers, output.glyphs ? "→" : "->")
    : typedBlindly(context, answers);
  const textOf = (message: MailMessage): string[] => {
    if (isJson) return [JSON.stringify(message)];
    return output.isTerminal ? watchedLines(context, message) : messageLines(context, message);
  };
  return {
    begun() {
      if (hasPrompt)
        typing.print([
          output.style.dim(`You are ${answers.name}. Type an answer, or @NAME and a text. Ctrl-C ends this view.`),
        ]);
    },
    async show(messages) {
      for (const message of messages) answers.heard(message);
      typing.print(messages.flatMap(textOf));
      await output.flushed();
    },
    led(leader) {
      if (isJson) return;
      if (output.isTerminal) typing.print([leaderLine(context, leader, nowMs())]);
      else output.errorLine(leaderLine(context, leader, nowMs()));
    },
    close: () => typing.close(),
  };
}

function typedBlindly({ output }: Context, answers: Answers): Typing {
  const lines = process.stdin.isTTY ? createInterface({ input: process.stdin, terminal: false }) : undefined;
  lines?.on("line", (line) => {
    answers.send(line, answers.target).then(
      (worries) => {
        for (const worry of worries) output.errorLine(worry);
      },
      (error: unknown) => output.errorLine(`✗ ${messageOf(error)}`),
    );
  });
  return {
    print(texts) {
      for (const text of texts) output.line(text);
    },
    close: () => lines?.close(),
  };
}
