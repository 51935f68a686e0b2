import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { checkName } from "../mail/recipients.ts";

/** A bundle of its own: the protocol's library is larger than all commands together. */
interface McpModule {
  runMcp(context: McpContext): Promise<void>;
}

type McpContext = Pick<Context, "env" | "cwd" | "places" | "build"> & {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  as?: string | undefined;
  compat?: "claude-ipc" | undefined;
  allowCommands: boolean;
};

const COMPATS = ["claude-ipc"] as const;

export const mcp = defineCommand({
  usage: ["mcp [--as NAME] [--compat claude-ipc]"],
  details:
    "Speaks the Model Context Protocol on standard input and output: jobs, sessions and mail as tools for coding agents. A client starts it by its configuration; by hand there is nothing to see. It says what it does in logs/servers/mcp.log of the home.",
  examples: [
    { command: "claude mcp add warren -- warren mcp", does: "gives Claude Code the tools, in this project" },
    { command: "claude mcp add reviewer -- warren mcp --as reviewer", does: "the same, with a name in the mailbox" },
    { command: "warren mcp --compat claude-ipc", does: "for prompts that were written for claude-ipc-mcp" },
  ],
  options: {
    as: {
      type: "string",
      value: "NAME",
      description: "its name in the mailbox; default: the session's, else the one that it registers",
    },
    compat: {
      type: "string",
      value: "NAME",
      choices: COMPATS,
      description: "also the tools of claude-ipc-mcp, by their names",
    },
    "allow-commands": { type: "boolean", description: "let its share_command run commands; refused by default" },
  },
  operands: NO_OPERANDS,
  async run({ env, cwd, places, build, output }, { values }) {
    const { as, compat: compatText, "allow-commands": allowCommands = false } = values;
    if (as !== undefined) checkName(as, "warren mcp --as reviewer");
    const compat = COMPATS.find((choice) => choice === compatText);
    const module: McpModule = await import(pathToFileURL(join(build.dir, "mcp.js")).href);
    if (process.stdin.isTTY)
      output.errorLine(
        "A program speaks with this, not a person: claude mcp add warren -- warren mcp. Ctrl-D ends it.",
      );
    try {
      const wire = { input: process.stdin, output: process.stdout };
      await module.runMcp({ env, cwd, places, build, ...wire, as, compat, allowCommands });
      return EXIT.ok;
    } catch (error) {
      // Of another bundle, whose error types are not ours.
      output.errorLine(messageOf(error));
      return EXIT.error;
    }
  },
});
