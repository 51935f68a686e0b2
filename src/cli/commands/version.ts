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
  async run({ output, build, machine, client }, { values }) {
    if (machine) {
      const { version: theirs, git_hash } = await client().request("status", {});
      if (values.json) output.json({ version: theirs, git_hash });
      else output.line(`warren ${theirs} (${git_hash}) on ${machine.name}`);
      return EXIT.ok;
    }
    if (values.json) output.json({ version: build.version, git_hash: build.hash, runtime: process.version });
    else output.line(`warren ${build.version} (${build.hash})`);
    return EXIT.ok;
  },
});
