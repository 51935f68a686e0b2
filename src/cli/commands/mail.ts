import { defineCommand } from "../command.ts";
import { MAIL_TOPICS } from "../mail/topics.ts";
import { runTopic, topicLines } from "../topics.ts";

/** Without a word behind it, it looks and takes nothing. */
const LOOK = ["check", "--peek"];

export const mail = defineCommand({
  usage: ["mail [COMMAND] [ARGUMENT…]", "mail COMMAND --help"],
  details: `Messages between the sessions, agents, programs and people of this machine. What was accepted is on disk and arrives, whoever dies.

${topicLines(MAIL_TOPICS)}

Alone it shows your unread mail and leaves it unread. Who you are: --as NAME, else the session or agent that you run in, else
$WARREN_MAIL_NAME, else "you". A session or agent named fox has the address fox.`,
  examples: [
    { command: "warren mail send fox 'the schema changed, please rebase'", does: "puts it into fox's mailbox" },
    { command: "warren mail check", does: "shows your unread mail; it is read then" },
    { command: "warren mail ask owl 'done?' --timeout 10m", does: "waits for owl's reply, and prints it" },
  ],
  options: {},
  operands: { kinds: ["choice"], min: 0, choices: MAIL_TOPICS.map(({ name }) => name) },
  takesCommand: true,
  topics: MAIL_TOPICS,
  run: (context, { operands }) => runTopic(context, "mail", MAIL_TOPICS, operands.length === 0 ? LOOK : operands),
});
