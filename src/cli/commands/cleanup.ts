import { formatBytes } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import { placeOf } from "../place.ts";
import { plural } from "../render/plural.ts";
import { usageError } from "../usage-error.ts";

export const cleanup = defineCommand({
  usage: ["cleanup [--all] [--json]"],
  details:
    "Removes this directory's jobs that have ended, with their runs and logs, and logs that belong to nothing. What runs stays.",
  examples: [
    { command: "warren cleanup", does: "this directory's ended jobs" },
    { command: "warren cleanup --all", does: "those of every directory" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of all directories" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    if (context.machine && !values.all)
      throw usageError(
        'There is no "here" on another machine: its ended jobs of all directories would go.',
        `warren --on ${quoteWord(context.machine.name)} cleanup --all`,
      );
    const result = await context.client().request("cleanup", values.all ? {} : { workdir: placeOf(context.cwd) });
    const { removed, runs, orphaned_logs, bytes } = result;
    if (values.json) context.output.json(result);
    else if (removed + runs + orphaned_logs === 0) context.output.line("Nothing to remove; what runs stays");
    else {
      const orphans =
        orphaned_logs > 0 ? `, and ${plural(orphaned_logs, "log that belonged", "logs that belonged")} to nothing` : "";
      context.output.line(
        `Removed ${plural(removed, "job")} and ${plural(runs, "run")} with their logs${orphans} (${formatBytes(bytes)})`,
      );
    }
    return EXIT.ok;
  },
});
