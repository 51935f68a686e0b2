import { become } from "../become.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import { portOf } from "../values.ts";

const USUAL_PORT = 7118;

export const web = defineCommand({
  usage: ["web [--port PORT] [--no-open] [--json]"],
  details: `Everything of this home in a browser of this machine: sessions, agents, jobs, workers and mail. It listens on 127.0.0.1 and ::1 alone, and lets in whoever has the link that it prints: it is good for one browser, once, and the next one is printed when it was used.
It stays until Ctrl-C; in the background: warren add --name web warren web, then warren logs web shows the link.`,
  examples: [
    { command: "warren web", does: "opens the browser, or prints the link where there is no screen" },
    { command: "warren web --port 0 --no-open", does: "on any free port; prints the link alone" },
    { command: "warren web --json", does: "prints {url, port, pid} for programs" },
  ],
  options: {
    port: {
      type: "string",
      short: "p",
      value: "PORT",
      description: "default $WARREN_WEB_PORT, else 7118; 0: a free one",
    },
    "no-open": { type: "boolean", description: "print the link and open no browser" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { env } = context;
    portOf({ flag: "--port", usual: USUAL_PORT }, values.port);
    if (values.port === undefined)
      portOf({ flag: "WARREN_WEB_PORT", usual: USUAL_PORT }, env.WARREN_WEB_PORT || undefined);
    const args = Object.entries(values).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : typeof value === "string" ? [`--${name}=${value}`] : [],
    );
    await context.client().request("ping", {}); // so that there is something to see
    return become(context, "web.js", args);
  },
});
