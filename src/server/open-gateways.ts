import { join } from "node:path";
import type { GatewayEvent } from "../gateway/event-file.ts";
import { Gateways } from "../gateway/gateways.ts";
import type { Build } from "../platform/build.ts";
import { systemClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import type { ServerSpec } from "../protocol/keeper-calls.ts";
import type { KeeperLink } from "./keeper-link.ts";
import type { SessionAddresses } from "./session-addresses.ts";

/** The gateways of the home, with what only the server knows: its build, its places, how configuration is read. */
export function openGateways(options: {
  places: Places;
  build: Build;
  keeper: KeeperLink;
  sessions: SessionAddresses;
  log: Log;
  onEvent: (event: GatewayEvent) => void;
}): Gateways {
  const { places, build, keeper, sessions, log, onEvent } = options;
  return new Gateways({
    dir: places.gatewayDir,
    socketDir: places.socketDir,
    nodePath: process.execPath,
    keeper,
    frontSpec: (name, homeDir) => frontSpec(places, build, name, homeDir),
    // The YAML reader is loaded only by a server that serves workers.
    loadConfig: async (dir, mode) =>
      (await import("../config/gateway/load-gateway.ts")).loadGateway(dir, mode === undefined ? {} : { mode }),
    sessions: () => sessions.all,
    clock: systemClock,
    log,
    onEvent,
  });
}

/** As long as an idle connection and then a slow answer may take, and the front's last 15 s, in which it ends what is left; who is still there then is killed. */
const FRONT_OVERLAP_MS = 150_000;

const frontSpec = (places: Places, build: Build, name: string, homeDir: string): ServerSpec => ({
  name,
  // The keeper has one process for each hash; a front has the name of its project in it.
  hash: `${build.hash}/${name}`,
  command: [
    ...[process.execPath, join(build.dir, "front.js"), "--name", name, "--dir", homeDir, "--hash", build.hash],
    ...["--overlap", String(FRONT_OVERLAP_MS)],
  ],
  logPath: join(places.serverLogsDir, `${name}.log`),
  overlapMs: FRONT_OVERLAP_MS,
});
