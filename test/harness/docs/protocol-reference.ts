import { join } from "node:path";
import type * as z from "zod/mini";
import { VERBS } from "../../../src/cli/verbs.ts";
import * as conversation from "../../../src/protocol/conversation.ts";
import { MUTATING } from "../../../src/protocol/envelope.ts";
import * as gatewayUnits from "../../../src/protocol/gateway-units.ts";
import * as mailUnits from "../../../src/protocol/mail-units.ts";
import * as messageShapes from "../../../src/protocol/messages.ts";
import { type MessageType, messages } from "../../../src/protocol/messages.ts";
import * as remoteUnits from "../../../src/protocol/remote-units.ts";
import * as units from "../../../src/protocol/units.ts";
import { answerOf, docCommentsOf } from "./doc-comments.ts";
import { type SchemaText, schemaText } from "./schema-text.ts";

/** What docs/protocol.md says of messages and shapes: made from the schemas by which they are checked, and from the comments beside those. */

const PROTOCOL = join(import.meta.dirname, "..", "..", "..", "src", "protocol");
const FILES = [
  "messages.ts",
  "mail-messages.ts",
  "remote-messages.ts",
  "units.ts",
  "gateway-units.ts",
  "mail-units.ts",
  "remote-units.ts",
  "conversation.ts",
].map((file) => join(PROTOCOL, file));
const ABOUT: SchemaText = { comments: docCommentsOf(FILES), names: namedShapes() };

const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ["", "Jobs, and the server itself"],
  ["unit", "Units"],
  ["session", "Sessions and agents"],
  ["gateway", "The gateway"],
  ["mail", "Mail"],
  ["remote", "Remote"],
];

export async function protocolReference(): Promise<string> {
  const commands = await commandsOfMessages();
  const types = Object.keys(messages) as MessageType[];
  const parts = GROUPS.map(([prefix, title]) => {
    const own = types.filter((type) => groupOf(type) === prefix);
    return `\n## ${title}\n${own.map((type) => messageSection(type, commands)).join("")}`;
  });
  return `${parts.join("")}\n## Shapes\n\nWhat the messages above name.\n${shapeSections()}`;
}

const groupOf = (type: string): string => {
  const [prefix, rest] = type.split(".");
  return rest !== undefined && GROUPS.some(([group]) => group === prefix) ? prefix! : "";
};

function messageSection(type: MessageType, commands: ReadonlyMap<string, string>): string {
  const { scope, payload, data } = messages[type];
  const head = `Scope \`${scope}\`${MUTATING.has(type) ? ", may carry a `request_id`" : ""}.`;
  const about = ABOUT.comments.of(type);
  const command = commands.has(type) ? `Command: \`warren ${commands.get(type)}\`.` : undefined;
  const asked = schemaText(payload, type, ABOUT);
  const answered = schemaText(data, answerOf(type), ABOUT);
  return `\n### ${type}\n\n${[head, command, about].filter((text) => text).join(" ")}\n\n${code(asked)}\n${code(`→ ${answered}`)}`;
}

/** The command that has a message's own word: `session.stop` is `stop`, `mail.send` is `mail send`. */
async function commandsOfMessages(): Promise<ReadonlyMap<string, string>> {
  const verbs = VERBS.filter(({ hidden, name }) => !hidden && name !== "help");
  const own = verbs.flatMap(({ name }) => [
    [name, name],
    [`session.${name}`, name],
  ]);
  const parts = await Promise.all(
    verbs.map(async ({ name, load }) =>
      ((await load()).topics ?? []).map((topic) => [`${name}.${topic.name}`, `${name} ${topic.name}`]),
    ),
  );
  return new Map([...own, ...parts.flat()] as [string, string][]);
}

function shapeSections(): string {
  const shapes = [...ABOUT.names].sort(([, one], [, other]) => one.localeCompare(other, "en"));
  return shapes
    .map(([schema, name]) => {
      const about = ABOUT.comments.of(name);
      return `\n### ${name}\n\n${about ? `${about}\n\n` : ""}${code(schemaText(schema, name, ABOUT).trimStart())}`;
    })
    .join("");
}

function namedShapes(): ReadonlyMap<z.ZodMiniType, string> {
  const names = new Map<z.ZodMiniType, string>();
  for (const module of [units, gatewayUnits, mailUnits, remoteUnits, conversation, messageShapes])
    for (const [name, value] of Object.entries(module))
      if (typeof value === "object" && "_zod" in value) names.set(value as z.ZodMiniType, name);
  return names;
}

const code = (text: string): string => `${text.replaceAll(/^(?=.)/gm, "    ")}\n`;
