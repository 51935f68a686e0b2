import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import { isSettled } from "../../client/remote/outbox-item.ts";
import { knownMachines } from "../../local/remote/known-machines.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { itemJson, stateText, untilText, whatOf } from "../on/later/item-text.ts";
import { OUTBOX_TOPICS } from "../on/outbox/topics.ts";
import { shortAge } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { table } from "../render/table.ts";
import { cutMiddle, printable } from "../render/text-width.ts";
import { runTopic, topicLines } from "../topics.ts";

/** An id is told apart by so many digits among a hundred. */
const ID_LENGTH = 8;
const WHAT_WIDTH_MAX = 50;
/** Of a machine that this home knows no more. */
const MACHINE_ID_LENGTH = 12;

export const outbox = defineCommand({
  usage: ["outbox [--json]", "outbox COMMAND [ARGUMENT…]"],
  details: `What this machine has asked of others with --later: in which order it goes, how far it has come, and what became of it. Whatever is asked of a machine with --on brings
what waits for it first.

${topicLines(OUTBOX_TOPICS)}`,
  examples: [
    { command: "warren outbox", does: "what waits, for which machine, and until when" },
    { command: "warren outbox send", does: "tries now, and says what became of it" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["choice"], min: 0, choices: OUTBOX_TOPICS.map(({ name }) => name) },
  takesCommand: true,
  topics: OUTBOX_TOPICS,
  async run(context, { values, operands }) {
    if (operands.length > 0) return runTopic(context, "outbox", OUTBOX_TOPICS, operands);
    const { output, places } = context;
    const { machineNames, waitingItems } = await import("../../local/remote/device-outbox.ts"); // with a database
    const items = await waitingItems(places);
    const names = await machineNames(places);
    const nameOf = (machine: string): string => names.get(machine) ?? machine.slice(0, MACHINE_ID_LENGTH);
    if (values.json) output.json(items.map((item) => itemJson(item, nameOf(item.machine))));
    else if (items.length > 0) for (const line of itemLines(context, items, nameOf)) output.line(line);
    else {
      output.line("Nothing waits for another machine");
      const [machine = "MACHINE"] = knownMachines(places);
      for (const line of hintLines(output, [
        [`warren --on ${quoteWord(machine)} stop web --later`, "is done when that machine is back"],
      ]))
        output.line(line);
    }
    return EXIT.ok;
  },
});

function itemLines(
  { output, nowMs }: Context,
  items: readonly OutboxItem[],
  nameOf: (machine: string) => string,
): string[] {
  const rows = items.map((item) => {
    const { word, tone } = stateText(item, nowMs());
    return [
      item.id.slice(0, ID_LENGTH),
      output.style.bold(printable(nameOf(item.machine))),
      cutMiddle(whatOf(item), WHAT_WIDTH_MAX),
      tone ? output.style.tone(tone, word) : word,
      shortAge(nowMs() - item.createdMs),
      isSettled(item) ? "" : untilText(item.deadlineMs, nowMs()),
    ];
  });
  const lines = table(output, ["ID", "MACHINE", "WHAT", "STATE", "AGE", "UNTIL"], rows);
  for (const { id, state } of items)
    if (state.kind === "failed") {
      const { error, fix } = state.error;
      lines.push(`${id.slice(0, ID_LENGTH)}: ${printable(error)}`);
      if (fix !== undefined) lines.push(output.style.dim(`  ${printable(fix)}`));
    }
  return lines;
}
