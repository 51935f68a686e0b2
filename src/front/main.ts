import { join } from "node:path";
import { parseArgs } from "node:util";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import { ControlLine } from "../platform/control-line.ts";
import { closeInheritedDescriptors } from "../platform/descriptors.ts";
import { isLogLevel, openLog } from "../platform/log.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import { FRONT_FORMAT, type FrontTable } from "../protocol/front-messages.ts";
import { Front } from "./front.ts";

/** One generation of a project's front, started by the keeper: the listening socket on fd 3, the control line on fd 4. */
const KEPT_DESCRIPTORS = [3, 4];
/** A failure inside: the keeper starts the next generation. */
const EXIT_FAILURE = 70;

function main(): void {
  process.umask(0o077);
  closeInheritedDescriptors(KEPT_DESCRIPTORS);
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: "front" },
      dir: { type: "string", default: "." },
      hash: { type: "string", default: "" },
      generation: { type: "string", default: "1" },
      overlap: { type: "string", default: "Infinity" },
    },
  });
  const { name, dir, hash } = values;
  const generation = Number(values.generation);
  const places = resolvePlaces(process.env);
  const level = isLogLevel(process.env.WARREN_LOG) ? process.env.WARREN_LOG : "info";
  const log = openLog(join(places.serverLogsDir, `${name}.log`), level);
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    process.exit(EXIT_FAILURE);
  };
  process.on("uncaughtException", (error) => fail("uncaught", error));
  process.on("unhandledRejection", (error) => fail("unhandled", error));
  const front = new Front({
    dir,
    socketPath: join(places.socketDir, `${name}.${generation}.sock`),
    identity: { pid: process.pid, generation, hash },
    table: tableOn(join(dir, "table.json")) ?? EMPTY,
    overlapMs: Number(values.overlap),
    log,
    onFailed: (error) => fail("listen_failed", error),
  });
  const control = new ControlLine({
    onGo: () =>
      void front.start().then(
        () => control.say("ready"),
        (error) => fail("start_failed", error),
      ),
    onDrain: () => void front.end().then(() => process.exit(0)),
    onKeeperLost: () => void front.end().then(() => process.exit(0)),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => void front.end().then(() => process.exit(0)));
  process.on("SIGHUP", () => {});
  control.say("warm");
}

/** What a front before was told last: until a server says more, requests go by it. */
function tableOn(path: string): FrontTable | undefined {
  const table = readJsonIfExists<FrontTable>(path);
  return table?.format === FRONT_FORMAT ? table : undefined;
}

const EMPTY: FrontTable = {
  format: FRONT_FORMAT,
  revision: 0,
  mode: "prod",
  project: "",
  routes: [],
  workers: [],
  draining: [],
  trustedProxies: [],
  hasPublicMetrics: false,
  sessions: [],
};

main();
