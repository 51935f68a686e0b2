import { liveSessions } from "../../local/find-session.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import { sourceTreeOf } from "../source-tree.ts";

/** What `warren` alone does. */
export const here = defineCommand({
  usage: ["here", ""],
  details:
    "Shows what runs: the screen with the sessions where there are any, else a card. In Warren's own source tree it builds, and starts a session on the server of that build.",
  examples: [
    { command: "warren", does: "what runs, and what to type next" },
    { command: "warren here", does: "the same" },
  ],
  options: {},
  operands: NO_OPERANDS,
  async run(context) {
    const { output, places, cwd } = context;
    const tree = sourceTreeOf(cwd);
    if (tree) {
      const { buildTree, runTree } = await import("../run-tree.ts");
      buildTree(tree);
      return runTree(tree, ["new"], context);
    }
    const isScreen = output.isTerminal && process.stdin.isTTY === true && liveSessions(places).length > 0;
    const command = isScreen ? (await import("./tui.ts")).tui : (await import("./overview.ts")).overview;
    return command.run(context, { values: {}, operands: [] });
  },
});
