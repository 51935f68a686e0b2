import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { hintLines } from "../render/hints.ts";
import { machineLines } from "./machine-text.ts";
import { openMail } from "./open-mail.ts";

/** The leader gives up sooner, and says why. */
const ANSWER_MS = 30_000;

export const join = defineCommand({
  usage: ["mail join URL [--machine NAME] [--creds FILE] [--ca FILE] [--json]"],
  details: `Mail goes to other machines through a NATS server with JetStream that all of them can reach: URL is nats://HOST:PORT, or tls://HOST:PORT, with user and
password, or a token, before the host if it asks for them. It is checked and remembered. A participant there has the address NAME@MACHINE.
Whoever may use that server can write to your agents.`,
  examples: [
    { command: "warren mail join nats://nats.example:4222", does: "as the host's own name" },
    { command: "warren mail join tls://nats.example --ca ca.pem --creds me.creds --machine laptop", does: "as laptop" },
    { command: "warren mail send fox@laptop 'hi'", does: "writes to fox on the machine laptop" },
  ],
  options: {
    machine: {
      type: "string",
      short: "m",
      value: "NAME",
      description: "this machine's name among them (default: the host's)",
    },
    creds: { type: "string", value: "FILE", description: "a NATS credentials file" },
    ca: { type: "string", value: "FILE", description: "certificates (PEM) that may sign the server's" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["text"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const creds = await contentOf(context, "--creds", values.creds);
    const ca = await contentOf(context, "--ca", values.ca);
    const asked = {
      url: operands[0]!,
      ...(values.machine === undefined ? {} : { machine: values.machine }),
      ...(creds === undefined ? {} : { creds }),
      ...(ca === undefined ? {} : { ca }),
    };
    const client = openMail(context);
    const { machines } = await client.request("mail.join_machines", asked, { timeoutMs: ANSWER_MS });
    if (values.json) output.json(machines);
    else {
      for (const line of machineLines(context, machines)) output.line(line);
      for (const line of hintLines(output, [["warren mail machines", "who else is there"]])) output.line(line);
    }
    return EXIT.ok;
  },
});

async function contentOf({ cwd }: Context, option: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(resolve(cwd, path), "utf8");
  } catch (error) {
    throw new WarrenError("FILE_UNREADABLE", `The file of ${option} cannot be read: ${messageOf(error)}.`, {
      fix: `ls -l ${quoteWord(path)}`,
      cause: error,
    });
  }
}
