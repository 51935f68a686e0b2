import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { COMPLETION_SCRIPTS } from "../completion/scripts.ts";
import { unknownChoice } from "../usage-error.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const completion = defineCommand({
  usage: ["completion bash | zsh | fish"],
  details: "Prints the script that makes the shell complete commands, flags and the names of live jobs.",
  examples: [
    { command: 'eval "$(warren completion bash)"', does: "for this shell; put it into ~/.bashrc" },
    { command: "warren completion fish > ~/.config/fish/completions/warren.fish", does: "for every fish from now on" },
  ],
  options: {},
  operands: { kinds: ["choice"], min: 1, choices: SHELLS },
  async run({ output }, { operands }) {
    const shell = SHELLS.find((name) => name === operands[0]);
    if (!shell) throw unknownChoice("The shell", operands[0]!, SHELLS);
    await output.bytes("stdout", COMPLETION_SCRIPTS[shell]);
    return EXIT.ok;
  },
});
