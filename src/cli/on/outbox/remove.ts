import { DeviceOutbox, waitingItems } from "../../../local/remote/device-outbox.ts";
import { isWarrenError, WarrenError } from "../../../protocol/errors.ts";
import { EXIT } from "../../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../../command.ts";
import { plural } from "../../render/plural.ts";
import { usageError } from "../../usage-error.ts";

export const remove = defineCommand({
  usage: ["outbox remove ID… [--json]", "outbox remove --all [--json]"],
  details:
    "Takes back what is still here, and forgets what is over. What a hub has taken may have been done by now, and cannot be taken back: it goes by its deadline. The beginning of an ID is enough.",
  examples: [
    { command: "warren outbox remove 4f1c9a0b", does: "takes that one back" },
    { command: "warren outbox remove --all", does: "all that can be; the rest is listed" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "whatever can be taken back or forgotten" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["text"], min: 0, max: Number.POSITIVE_INFINITY },
  async run({ places, output }, { values, operands }) {
    if ((values.all === true) === operands.length > 0)
      throw usageError("Say which, by their ids, or --all.", "warren outbox");
    const known = (await waitingItems(places)).map(({ id }) => id);
    const ids = values.all ? known : operands.map((reference) => idOf(reference, known));
    const removed: string[] = [];
    const left: string[] = [];
    const outbox = ids.length > 0 ? await DeviceOutbox.open({ places }) : undefined;
    try {
      for (const id of ids) {
        try {
          await outbox?.remove(id);
          removed.push(id);
        } catch (error) {
          if (!values.all || !isWarrenError(error, "ITEM_SENT")) throw error;
          left.push(id);
        }
      }
    } finally {
      await outbox?.close();
    }
    if (values.json) output.json({ removed, left });
    else {
      output.line(removed.length === 0 ? "Nothing was removed" : `Removed ${plural(removed.length, "request")}`);
      if (left.length > 0)
        output.line(
          `${plural(left.length, "request")} may have been done by now and cannot be taken back: warren outbox`,
        );
    }
    return EXIT.ok;
  },
});

/** @throws ITEM_NOT_FOUND, ITEM_AMBIGUOUS */
function idOf(reference: string, known: readonly string[]): string {
  const found = known.filter((id) => id.startsWith(reference));
  if (found.length === 1 && reference !== "") return found[0]!;
  if (found.length === 0)
    throw new WarrenError("ITEM_NOT_FOUND", `Nothing waits under the id ${reference}.`, { fix: "warren outbox" });
  throw new WarrenError("ITEM_AMBIGUOUS", `${found.length} ids begin with ${reference}.`, {
    fix: "warren outbox --json",
  });
}
