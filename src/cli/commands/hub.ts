import { resolve } from "node:path";
import { become } from "../become.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { HUB_TOPICS } from "../hub/topics.ts";
import { runTopic, topicLines } from "../topics.ts";
import { usageError } from "../usage-error.ts";
import { portOf } from "../values.ts";

const USUAL_PORT = 7117;

export const hub = defineCommand({
  usage: [
    "hub [--port PORT] [--host ADDRESS] [--cert FILE --key FILE] [--open] [--label TEXT] [--behind-proxy]",
    "hub COMMAND [ARGUMENT…]",
  ],
  details: `A meeting point for your machines and devices: it passes on what they have sealed, keeps it for whoever is away, and can read none of it.
Alone it starts one and stays, until Ctrl-C; in the background: warren add warren hub.

${topicLines(HUB_TOPICS)}`,
  examples: [
    { command: "warren hub", does: "starts one for this machine's browsers, and says how others reach it" },
    {
      command: "warren hub --host 0.0.0.0 --port 443 --cert fullchain.pem --key privkey.pem",
      does: "serves https itself; renewed files are taken up by themselves",
    },
    { command: "warren hub invite --for laptop", does: "lets one machine in" },
  ],
  options: {
    port: {
      type: "string",
      short: "p",
      value: "PORT",
      description: "default $WARREN_HUB_PORT, else 7117; 0: a free one",
    },
    host: { type: "string", value: "ADDRESS", description: "where to listen; default 127.0.0.1, everywhere: 0.0.0.0" },
    cert: {
      type: "string",
      value: "FILE",
      description: "certificate with its chain, PEM; looked at again when it changes",
    },
    key: { type: "string", value: "FILE", description: "its private key, PEM" },
    open: { type: "boolean", description: "admit any machine, without an invitation" },
    label: { type: "string", value: "TEXT", description: "what devices call this hub; default: this machine's name" },
    "behind-proxy": {
      type: "boolean",
      description: "clients' addresses are what the proxy's X-Forwarded-For says; only when nobody else can reach it",
    },
    json: JSON_OPTION,
  },
  operands: { kinds: ["choice"], min: 0, choices: HUB_TOPICS.map(({ name }) => name) },
  takesCommand: true,
  topics: HUB_TOPICS,
  async run(context, { values, operands }) {
    if (operands.length > 0) return runTopic(context, "hub", HUB_TOPICS, operands);
    const { label } = values;
    if ((values.cert === undefined) !== (values.key === undefined))
      throw usageError("--cert and --key belong together.", "warren hub --cert fullchain.pem --key privkey.pem");
    if (label !== undefined && (label.trim() === "" || label.length > 100))
      throw usageError(`--label has ${label.trim().length} characters, not 1 to 100.`);
    portOf({ flag: "--port", usual: USUAL_PORT }, values.port);
    if (values.port === undefined)
      portOf({ flag: "WARREN_HUB_PORT", usual: USUAL_PORT }, context.env.WARREN_HUB_PORT || undefined);
    const args = Object.entries(values).flatMap(([name, value]) => {
      if (value === true) return [`--${name}`];
      const text = name === "cert" || name === "key" ? resolve(context.cwd, String(value)) : value;
      return text === undefined || text === false ? [] : [`--${name}=${text}`];
    });
    return become(context, "hub.js", args);
  },
});
