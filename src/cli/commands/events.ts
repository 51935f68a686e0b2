import { GATEWAY_EVENTS, JOB_EVENTS } from "../../protocol/envelope.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import { placeAsked } from "../place.ts";
import { unknownChoice } from "../usage-error.ts";
import { countOf } from "../values.ts";

export const events = defineCommand({
  usage: ["events [--gateway] [--all] [--since SEQ] [--types TYPE,…] [--snapshot]"],
  details:
    'Prints what happens to this directory\'s jobs, one JSON object a line, until Ctrl-C. Each has a sequence number; --since goes on after one, also after a restart of Warren. When that is too long ago, a line with "gap":true and the jobs as they are now comes first.',
  examples: [
    { command: "warren events --types run_stopped", does: "a line whenever something ends" },
    { command: "warren events --gateway", does: "a line for each build, switch and failure of a worker" },
    { command: "warren events --all --since 41", does: "everything after event 41" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of all directories" },
    since: { type: "string", value: "SEQ", description: "go on after this sequence number" },
    types: { type: "string", multiple: true, value: "TYPE,…", description: `only these: ${JOB_EVENTS.join(", ")}` },
    gateway: { type: "boolean", description: "of the workers here, instead of the jobs: builds, switches, failures" },
    snapshot: { type: "boolean", description: "first the jobs as they are now" },
    json: { type: "boolean", description: "as always: each line is JSON" },
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const types = values.types?.flatMap((text) => text.split(","));
    const stream = values.gateway ? "gateway" : "jobs";
    const known: readonly string[] = values.gateway ? GATEWAY_EVENTS : JOB_EVENTS;
    for (const type of types ?? []) if (!known.includes(type)) throw unknownChoice("--types", type, known);
    const since = countOf("--since", values.since);
    const filter = {
      ...(values.all ? {} : placeAsked(context)),
      ...(types ? { types } : {}),
      ...(values.gateway ? { streams: [stream] } : {}),
      ...(since === undefined ? {} : { since: { [stream]: since } }),
    };
    for await (const item of context.client().subscribe(filter)) {
      if (item.kind === "event") await context.output.bytes("stdout", `${JSON.stringify(item.event)}\n`);
      else if (values.snapshot || item.gap) {
        const { stream, seq, snapshot, gap } = item;
        await context.output.bytes("stdout", `${JSON.stringify({ stream, seq, snapshot, ...(gap ? { gap } : {}) })}\n`);
      }
    }
    return EXIT.ok;
  },
});
