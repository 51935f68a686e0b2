import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";

export const version = defineCommand({
  usage: ["version [--json]", "--version"],
  examples: [
    { command: "warren --version", does: "the version and the build" },
    { command: "warren version --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run({ output, build }, { values }) {
    if (values.json) output.json({ version: build.version, git_hash: build.hash, runtime: process.version });
    else output.line(`warren ${build.version} (${build.hash})`);
    return EXIT.ok;
  },
});
