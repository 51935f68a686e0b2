import { join, resolve } from "node:path";
import { projectFileIn } from "../../config/project-of.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { hintLines } from "../render/hints.ts";

export const import_ = defineCommand({
  usage: ["import [FILE | DIR] [--write] [--force]"],
  details:
    "Turns what another tool's file says (pm2's ecosystem.config.js, a Procfile, a gobfile, the scripts of package.json) into a warren.yaml and prints it; what could not be taken over is said.",
  examples: [
    { command: "warren import", does: "prints the warren.yaml for this directory" },
    { command: "warren import ecosystem.config.js --write", does: "writes it beside that file" },
  ],
  options: {
    write: { type: "boolean", short: "w", description: "write warren.yaml instead of printing it" },
    force: { type: "boolean", short: "f", description: "write over a warren.yaml that is there" },
    json: { type: "boolean", description: "print the text and the notes as JSON" },
  },
  operands: { kinds: ["file"], min: 0 },
  async run(context, { values, operands }) {
    const { importFrom } = await import("../../config/import/import.ts");
    const { output } = context;
    const imported = await importFrom(resolve(context.cwd, operands[0] ?? "."));
    if (values.json) output.json(imported);
    else if (!values.write) await output.bytes("stdout", imported.yaml);
    if (!values.json) {
      for (const { key, reason, instead } of imported.notes) {
        output.errorLine(`${output.errorStyle.tone("attention", key)}: ${reason}${instead ? ` (${instead})` : ""}`);
      }
    }
    if (!values.write) return EXIT.ok;
    const there = projectFileIn(imported.dir);
    const path = there ?? join(imported.dir, "warren.yaml");
    if (there !== undefined && !values.force) {
      throw new WarrenError("FILE_EXISTS", `${path} is there already; nothing was changed.`, {
        fix: "warren import --write --force",
      });
    }
    const { writeFileAtomic } = await import("../../platform/atomic-file.ts");
    writeFileAtomic(path, imported.yaml, 0o644);
    if (values.json) return EXIT.ok;
    output.line(`Wrote ${output.style.bold(path)} from ${imported.source}`);
    for (const line of hintLines(output, [["warren up", "start its jobs"]])) output.line(line);
    return EXIT.ok;
  },
});
