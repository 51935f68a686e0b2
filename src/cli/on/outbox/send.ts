import { isSettled } from "../../../client/remote/outbox-item.ts";
import { DeviceOutbox, waitingItems } from "../../../local/remote/device-outbox.ts";
import { EXIT } from "../../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../../command.ts";
import { itemJson } from "../later/item-text.ts";
import { tell } from "../later/keep-later.ts";

export const send = defineCommand({
  usage: ["outbox send [--json]"],
  details:
    "Connects to the hubs of each machine for which something waits: what can go goes, and what has become of the rest is taken. A status other than 0 says that a request has failed.",
  examples: [
    { command: "warren outbox send", does: "and says of each how far it has come" },
    { command: "warren outbox send && warren outbox", does: "then shows all of them" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { places, output } = context;
    if (!(await waitingItems(places)).some((item) => !isSettled(item))) {
      if (values.json) output.json([]);
      else output.line("Nothing waits for another machine");
      return EXIT.ok;
    }
    const outbox = await DeviceOutbox.open({ places });
    try {
      const open = new Set(outbox.items().flatMap((item) => (isSettled(item) ? [] : [item.id])));
      const machines = outbox.machines().filter(({ machine }) => outbox.waitedFor().includes(machine.id));
      await Promise.all(machines.map(({ machine }) => outbox.settle(machine.id)));
      const shown: unknown[] = [];
      let worst: number = EXIT.ok;
      for (const { machine } of machines) {
        const items = outbox.items().filter((item) => item.machine === machine.id && open.has(item.id));
        if (values.json) shown.push(...items.map((item) => itemJson(item, machine.name)));
        else worst = Math.max(worst, tell(context, { items, json: false, machine: machine.name }));
        if (values.json && items.some(({ state }) => state.kind === "failed" || state.kind === "expired"))
          worst = EXIT.error;
      }
      if (values.json) output.json(shown);
      return worst;
    } finally {
      await outbox.close();
    }
  },
});
