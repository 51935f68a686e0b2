import { isSettled, type OutboxItem } from "../../../client/remote/outbox-item.ts";
import { fromWire, WarrenError } from "../../../protocol/errors.ts";
import { EXIT } from "../../../protocol/outcome.ts";
import { utf8 } from "../../../sealing/bytes.ts";
import { RECORD_TEXT_BYTES_MAX } from "../../../sealing/record.ts";
import type { Context } from "../../context.ts";
import { exitStatusOfCode } from "../../exit-status.ts";
import { renderError } from "../../render/error.ts";
import { hintLines } from "../../render/hints.ts";
import { printable } from "../../render/text-width.ts";
import { usageError } from "../../usage-error.ts";
import { durationOf } from "../../values.ts";
import { itemJson, untilText, whatOf } from "./item-text.ts";
import type { LaterValues } from "./later-option.ts";
import type { KnownUnits } from "./unit-known.ts";

/** `--later`: what is asked goes through this home's outbox. Where the machine is there it is done at once; otherwise it is sealed and left at its hub. */
export interface LaterRequest {
  type: string;
  payload: Record<string, unknown>;
  /** As it was typed, without --later. */
  what: string;
  /** The id of the session whose server it is for; default: the primary. */
  unit?: string;
}

/** Beside its payload a request says whose it is, its order and its deadline. */
const ENVELOPE_BYTES = 4 * 1024;
const REQUEST_BYTES_MAX = RECORD_TEXT_BYTES_MAX - ENVELOPE_BYTES;

/**
 * @param make what is asked, of what the machine has said last of its units; nothing was kept when it throws
 * @throws USAGE, MACHINE_NOT_FOUND, OUTBOX_BUSY, LATER_TOO_LARGE
 */
export async function keepLater(
  context: Context,
  { later, json }: LaterValues,
  make: (known: KnownUnits) => LaterRequest[] | Promise<LaterRequest[]>,
): Promise<number> {
  const { places, machine: door } = context;
  if (!door) throw usageError("--later is for another machine.", "warren --on MACHINE VERB --later …");
  const lifeMs = durationOf("--later", later);
  const { DeviceOutbox } = await import("../../../local/remote/device-outbox.ts"); // with a database
  const outbox = await DeviceOutbox.open({ places, wanted: door.name });
  try {
    const { machine } = outbox.machineNamed(door.name);
    await outbox.settle(machine.id); // what waits already, and what the machine has said last
    const units = outbox.unitsOf(machine.id);
    const requests = await make({ machine: machine.name, units, isBehind: outbox.isBehind(machine.id) });
    for (const request of requests) assertFits(request);
    const ids = new Set<string>();
    for (const request of requests) {
      const item = await outbox.add({ machine: machine.id, ...request, ...(lifeMs === undefined ? {} : { lifeMs }) });
      ids.add(item.id);
    }
    await outbox.settle(machine.id);
    const items = outbox.items().filter(({ id }) => ids.has(id));
    return tell(context, { items, json, machine: machine.name });
  } finally {
    await outbox.close();
  }
}

/** How far each has come. The status is the worst one: what is kept is no failure. */
export function tell(
  context: Context,
  { items, json, machine }: { items: readonly OutboxItem[]; json: boolean | undefined; machine: string },
): number {
  const { output } = context;
  const isAlone = items.length === 1;
  let worst: number = EXIT.ok;
  for (const item of items) {
    const error = errorOf(item, machine);
    if (!json) sayItem(context, item, { machine, isAlone });
    if (!error) continue;
    renderError(output, error, json === true);
    worst = Math.max(worst, exitStatusOfCode(error.code));
  }
  const shown = items.map((item) => itemJson(item, machine));
  if (json) output.json(shown.length === 1 ? shown[0] : shown);
  else if (items.some((item) => !isSettled(item)))
    for (const line of hintLines(output, [["warren outbox", "what waits, and what became of it"]])) output.line(line);
  return worst;
}

/** @param isAlone nobody has to be told which one is meant */
function sayItem(
  { output, nowMs }: Context,
  item: OutboxItem,
  { machine, isAlone }: { machine: string; isAlone: boolean },
): void {
  const name = output.style.bold(printable(machine));
  const what = isAlone ? "" : `${whatOf(item)} `;
  const until = `(until ${untilText(item.deadlineMs, nowMs())})`;
  switch (item.state.kind) {
    case "done":
      return output.line(`Done on ${name}: ${whatOf(item)}`);
    case "failed":
    case "expired":
      return isAlone ? undefined : output.line(`Failed on ${name}: ${whatOf(item)}`);
    case "delivered":
      return output.line(`Kept: ${what}goes to ${name} when it is back ${until}.`);
    default:
      return output.line(
        `Kept: ${what || "it "}stays here, since no hub has taken it yet; the next command about ${name} brings it ${until}.`,
      );
  }
}

function errorOf({ id, state, held }: OutboxItem, machine: string): WarrenError | undefined {
  if (state.kind === "failed") return fromWire(state.error);
  if (state.kind === "expired")
    return new WarrenError(
      "DEADLINE_OVER",
      `The time of ${id} went by, and ${machine} has not said what became of it.`,
    );
  return held && new WarrenError(held.code, held.error, held.fix === undefined ? {} : { fix: held.fix });
}

function assertFits({ payload }: LaterRequest): void {
  const bytes = utf8(JSON.stringify(payload)).length;
  if (bytes <= REQUEST_BYTES_MAX) return;
  throw new WarrenError(
    "LATER_TOO_LARGE",
    `${bytes} bytes do not fit one request that waits: ${REQUEST_BYTES_MAX} do.`,
    {
      fix: "say it in parts, or without --later when the machine is there",
    },
  );
}
