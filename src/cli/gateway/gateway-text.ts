import { basename } from "node:path";
import type { Gateway, GatewayCertificate, SaveTimes, Worker } from "../../protocol/gateway-units.ts";
import type { Output } from "../output.ts";
import { printable } from "../render/text-width.ts";
import { WAS_STOPPED } from "../render/worker-text.ts";
import { instancesText, workerLines } from "./worker-table.ts";

/** What `warren gateway` and `warren up` print of a gateway. */
export function gatewayLines(output: Output, gateway: Gateway): string[] {
  const { project, url, mode, front, workers, ports, config_error, warnings = [], last_save, tls } = gateway;
  const facts = [mode, front ? `front pid ${front.pid}` : "no front", portsText(output, ports)];
  return [
    `${output.style.bold(project)}  ${url}  ${facts.join("  ")}`,
    ...(workers.length === 0 ? ["No workers"] : workerLines(output, workers)),
    ...workers.flatMap((worker) =>
      worker.reason && worker.reason !== WAS_STOPPED ? [`${worker.name}: ${printable(worker.reason)}`] : [],
    ),
    ...(last_save ? [saveLine(last_save)] : []),
    ...(tls?.certificates ?? []).map(certificateLine),
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
    ...(config_error ? [`The configuration as it is now is not in force: ${printable(config_error)}`] : []),
  ];
}

/** `api: healthy, 1a2b3c4d, 1 healthy :9000` */
export const workerLine = (worker: Worker): string =>
  `${worker.name}: ${[worker.state, worker.version, instancesText(worker)].filter((part) => part && part !== "-").join(", ")}`;

const portsText = ({ isTerminal }: Output, { from, to, used }: Gateway["ports"]): string =>
  isTerminal ? `${used.length} of ${to - from + 1} ports` : `${used.length} of the ports ${from}-${to} used`;

/** `last save: api 1a2b3c4d  detected 1 ms, built 24 ms, ready 61 ms, switched 62 ms` */
const saveLine = ({ worker, version, detected_ms, built_ms, ready_ms, switched_ms }: SaveTimes): string =>
  `last save: ${worker} ${version.slice(0, 8)}  detected ${ms(detected_ms)}, built ${ms(built_ms)}, ready ${ms(ready_ms)}, switched ${ms(switched_ms)}`;

/** `certificate: site.pem  site.test, *.site.test  until 2027-01-31` */
function certificateLine({ cert, hosts, expires_at, problem }: GatewayCertificate): string {
  const facts = expires_at ? [hosts.join(", ") || "no host", `until ${expires_at.slice(0, 10)}`] : ["not served"];
  const trouble = problem ? [`${problem} ${expires_at ? "The one before serves on." : ""}`.trim()] : [];
  return `certificate: ${[basename(cert), ...facts, ...trouble].map(printable).join("  ")}`;
}

const ms = (value: number): string => `${Math.round(value)} ms`;
