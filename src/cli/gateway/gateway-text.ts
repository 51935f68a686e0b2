import type { Gateway, SaveTimes, Worker } from "../../protocol/gateway-units.ts";
import type { Output } from "../output.ts";
import { table } from "../render/table.ts";
import { printable } from "../render/text-width.ts";

/** What `warren gateway` and `warren up` print of a gateway. */
export function gatewayLines(output: Output, gateway: Gateway): string[] {
  const { project, url, mode, front, workers, ports, config_error, warnings = [], last_save } = gateway;
  const facts = [mode, front ? `front pid ${front.pid}` : "no front", portsText(ports)];
  return [
    `${output.style.bold(project)}  ${url}  ${facts.join("  ")}`,
    ...(workers.length === 0 ? ["No workers"] : workerLines(output, workers)),
    ...workers.flatMap((worker) => (worker.reason ? [`${worker.name}: ${printable(worker.reason)}`] : [])),
    ...(last_save ? [saveLine(last_save)] : []),
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
    ...(config_error ? [`The configuration as it is now is not in force: ${printable(config_error)}`] : []),
  ];
}

export function workerLines(output: Output, workers: readonly Worker[]): string[] {
  return table(
    output,
    ["ROUTE", "WORKER", "TYPE", "STATE", "VERSION", "INSTANCES", "REQUESTS"],
    workers.map((worker) => [
      worker.route,
      worker.name,
      worker.type,
      worker.waiting ? `${worker.state}, ${worker.waiting} waiting` : worker.state,
      worker.version ?? "-",
      instancesText(worker),
      requestsText(worker),
    ]),
  );
}

/** `api: healthy, 1a2b3c4d, 1 healthy :9000` */
export const workerLine = (worker: Worker): string =>
  `${worker.name}: ${[worker.state, worker.version, instancesText(worker)].filter((part) => part && part !== "-").join(", ")}`;

/** `2 healthy :9000 :9001, 1 standby :9002` */
function instancesText({ instances }: Worker): string {
  const byState = Map.groupBy(instances, ({ state }) => state);
  const parts = [...byState].map(
    ([state, some]) =>
      `${some.length} ${state}${some.map(({ port }) => (port === undefined ? "" : ` :${port}`)).join("")}`,
  );
  return parts.join(", ") || "-";
}

const requestsText = ({ requests, failed }: Worker): string =>
  requests === undefined ? "-" : failed ? `${requests}, ${failed} failed` : String(requests);

const portsText = ({ from, to, used }: Gateway["ports"]): string => `${used.length} of the ports ${from}-${to} used`;

/** `last save: api 1a2b3c4d  detected 1 ms, built 24 ms, ready 61 ms, switched 62 ms` */
const saveLine = ({ worker, version, detected_ms, built_ms, ready_ms, switched_ms }: SaveTimes): string =>
  `last save: ${worker} ${version}  detected ${ms(detected_ms)}, built ${ms(built_ms)}, ready ${ms(ready_ms)}, switched ${ms(switched_ms)}`;

const ms = (value: number): string => `${Math.round(value)} ms`;
