import type { Worker } from "../../protocol/gateway-units.ts";
import type { Output } from "../output.ts";
import { stateOfWorker } from "../render/states.ts";
import { table } from "../render/table.ts";
import { printable, widthOf } from "../render/text-width.ts";

/** Workers, one a line. In a pipe nothing is left out; on a terminal what does not fit goes, the least needed first. */
const TITLES = {
  route: "ROUTE",
  worker: "WORKER",
  type: "TYPE",
  state: "STATE",
  version: "VERSION",
  instances: "INSTANCES",
  requests: "REQUESTS",
} as const;
type Column = keyof typeof TITLES;

/** Each narrower than the one before; the last one stands however wide it is. */
const FORMS: readonly { columns: readonly Column[]; isShort: boolean }[] = [
  { columns: ["route", "worker", "type", "state", "version", "instances", "requests"], isShort: false },
  { columns: ["route", "worker", "state", "version", "instances", "requests"], isShort: true },
  { columns: ["route", "worker", "state", "instances", "requests"], isShort: true },
  { columns: ["worker", "state", "instances"], isShort: true },
];
const SHORT_VERSION = 8;

export function workerLines(output: Output, workers: readonly Worker[]): string[] {
  // The answer to an order knows nothing of requests.
  const hasRequests = workers.some(({ requests }) => requests !== undefined);
  let lines: string[] = [];
  for (const { columns, isShort } of FORMS) {
    const shown = columns.filter((column) => column !== "requests" || hasRequests);
    const rows = workers.map((worker) => shown.map((column) => cellOf(output, worker, column, isShort)));
    const heads = shown.map((column) => TITLES[column]);
    lines = table(output, heads, rows);
    if (!output.isTerminal || lines.every((line) => widthOf(line) <= output.columnCount)) return lines;
  }
  return lines;
}

function cellOf({ style, isTerminal }: Output, worker: Worker, column: Column, isShort: boolean): string {
  switch (column) {
    case "route":
      return printable(worker.route);
    case "worker":
      return worker.name;
    case "type":
      return worker.type;
    case "state": {
      const { tone, dim, word } = stateOfWorker(worker);
      const state = style.tone(tone, isTerminal ? word : worker.state, dim);
      return worker.waiting ? `${state}, ${worker.waiting} waiting` : state;
    }
    case "version":
      return worker.version === undefined ? "-" : isShort ? worker.version.slice(0, SHORT_VERSION) : worker.version;
    case "instances":
      return isShort ? instanceCounts(worker) : instancesText(worker);
    case "requests":
      return requestsText(worker);
  }
}

/** `2 healthy :9000 :9001, 1 standby :9002` */
export const instancesText = ({ instances }: Worker): string =>
  [...Map.groupBy(instances, ({ state }) => state)]
    .map(
      ([state, some]) =>
        `${some.length} ${state}${some.map(({ port }) => (port === undefined ? "" : ` :${port}`)).join("")}`,
    )
    .join(", ") || "-";

/** `2 healthy, 1 standby` */
const instanceCounts = ({ instances }: Worker): string =>
  [...Map.groupBy(instances, ({ state }) => state)].map(([state, some]) => `${some.length} ${state}`).join(", ") || "-";

const requestsText = ({ requests, failed }: Worker): string =>
  requests === undefined ? "-" : failed ? `${requests}, ${failed} failed` : String(requests);
