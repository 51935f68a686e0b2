import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { WarrenError } from "../../protocol/errors.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { attachAny } from "../sessions/attach-any.ts";

/** Gives this terminal to a session until it is left or has ended. */
type Attach = (id: string, options: { isViewer: boolean }) => Promise<number>;

/** A bundle of its own: the screen library is many times the size of all commands together. */
interface TuiModule {
  runTui(context: Context, programs: { attach: Attach }): Promise<number>;
}

export const tui = defineCommand({
  usage: ["tui"],
  details:
    "All sessions and jobs on one screen: enter attaches to a session and ctrl-\\ d comes back; ports, runs and logs of jobs. ? shows the keys.",
  examples: [
    { command: "warren tui", does: "opens the screen for this directory" },
    { command: "WARREN_NO_EMOJI=1 warren tui", does: "with plain letters for glyphs" },
  ],
  options: {},
  operands: NO_OPERANDS,
  async run(context) {
    if (!context.output.isTerminal) {
      throw new WarrenError("NO_TERMINAL", "The screen needs a terminal, and this is a pipe.", { fix: "warren list" });
    }
    const module: TuiModule = await import(pathToFileURL(join(context.build.dir, "tui.js")).href);
    return module.runTui(context, {
      attach: (id, options) => attachAny(context, id, options),
    });
  },
});
