import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_HOME_CONFIG } from "../config/home-defaults.ts";
import { thisBuild } from "../platform/build.ts";
import { ControlLine } from "../platform/control-line.ts";
import { closeInheritedDescriptors } from "../platform/descriptors.ts";
import { isLogLevel, type Log, openLog } from "../platform/log.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { Server } from "./server.ts";

/** One generation of a server, started by the keeper: `server.js --name blazing`, the listening socket on fd 3, the control line on fd 4. */
const KEPT_DESCRIPTORS = [3, 4];
/** A failure inside: the keeper starts the next generation, which takes up what runs. */
const EXIT_FAILURE = 70;
/** The generation has ended as it was told, the server has not. */
const EXIT_AGAIN = 75;

async function main(): Promise<void> {
  process.umask(0o077);
  closeInheritedDescriptors(KEPT_DESCRIPTORS);
  const { values } = parseArgs({ options: { name: { type: "string" }, generation: { type: "string" } } });
  const name = values.name ?? "";
  const places = resolvePlaces(process.env);
  const { log, lastError } = rememberErrors(
    openLog(
      join(places.serverLogsDir, `${name}.log`),
      isLogLevel(process.env.WARREN_LOG) ? process.env.WARREN_LOG : "info",
    ),
  );
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error: messageOf(error), ...causeOf(error) });
    process.exit(EXIT_FAILURE);
  };
  process.on("uncaughtException", (error) => fail("uncaught", error));
  process.on("unhandledRejection", (error) => fail("unhandled", error));
  const server = new Server({
    places,
    env: process.env,
    build: thisBuild(),
    name,
    generation: Number(values.generation ?? 1),
    config: await loadConfig(places.home, log),
    log,
    lastError,
    allowsFaults: process.env.WARREN_FAULTS === "1",
    onLeaving: () => control.say("leaving"),
    onFree: () => control.say("free"),
    onEnded: (isOver) => process.exit(isOver ? 0 : EXIT_AGAIN),
  });
  const control = new ControlLine({
    onGo: () =>
      void server.start().then(
        () => control.say("ready"),
        (error) => fail("start_failed", error),
      ),
    onDrain: () => void server.end({ leave: false }),
    onKeeperLost: () => void server.afterKeeperLoss(),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void server.terminate());
  process.on("SIGHUP", () => void server.refreshGateways());
  control.say("warm");
}

/** A typed error is nobody's bug: whoever started the server is told its code and fix. Of the rest, where it happened. */
const causeOf = (error: unknown): Record<string, unknown> =>
  isWarrenError(error)
    ? { code: error.code, fix: error.fix }
    : { stack: error instanceof Error ? error.stack : undefined };

/** The YAML reader is loaded only where there is something to read. A broken file is said, and the defaults hold. */
async function loadConfig(home: string, log: Log) {
  if (!existsSync(join(home, "config.yaml"))) return DEFAULT_HOME_CONFIG;
  const { loadHomeConfig } = await import("../config/home-config.ts");
  try {
    return await loadHomeConfig(home);
  } catch (error) {
    log.error("config_invalid", { error: messageOf(error) });
    return DEFAULT_HOME_CONFIG;
  }
}

function rememberErrors(log: Log): { log: Log; lastError: () => { at: string; message: string } | null } {
  let last: { at: string; message: string } | null = null;
  return {
    lastError: () => last,
    log: {
      ...log,
      error: (event, fields) => {
        last = { at: new Date().toISOString(), message: `${event}${fields?.error ? `: ${fields.error}` : ""}` };
        log.error(event, fields);
      },
    },
  };
}

await main();
