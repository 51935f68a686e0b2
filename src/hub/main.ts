import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { thisBuild } from "../platform/build.ts";
import { systemClock } from "../platform/clock.ts";
import { isLogLevel, openLog } from "../platform/log.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import { HubProcess } from "./hub-process.ts";
import { startText } from "./start-text.ts";

/**
 * `hub.js`: a hub in the foreground, until SIGINT or SIGTERM. It prints what a person needs to go on; what happens later goes to its log.
 */
const DEFAULT_PORT = 7117;
const EXIT_BROKEN = 70;

async function main(): Promise<void> {
  process.umask(0o077);
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      cert: { type: "string" },
      key: { type: "string" },
      open: { type: "boolean", default: false },
      label: { type: "string", default: hostname() },
      "behind-proxy": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { env } = process;
  const places = resolvePlaces(env);
  const log = openLog(places.hubLog, isLogLevel(env.WARREN_LOG) ? env.WARREN_LOG : "info");
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    console.error(`error: The hub has failed: ${messageOf(error)}\ntail ${places.hubLog}`);
    process.exit(EXIT_BROKEN);
  };
  process.on("uncaughtException", (error) => fail("uncaught", error));
  process.on("unhandledRejection", (error) => fail("unhandled", error));
  const hub = new HubProcess({
    places,
    env,
    build: thisBuild(),
    clock: systemClock,
    log,
    host: values.host,
    port: Number(values.port ?? (env.WARREN_HUB_PORT || DEFAULT_PORT)),
    label: values.label,
    isOpen: values.open,
    isBehindProxy: values["behind-proxy"],
    certificate: values.cert && values.key ? { cert: values.cert, key: values.key } : undefined,
    onBroken: (error) => fail("store_broken", error),
  });
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void hub.end().then(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end);
  try {
    await hub.start();
  } catch (error) {
    if (!isWarrenError(error)) throw error;
    log.error("start_failed", { code: error.code, error: error.message });
    console.error(`error: ${error.message}${error.fix ? `\n${error.fix}` : ""}`);
    process.exit(EXIT.error);
  }
  if (values.json) console.log(JSON.stringify(hub.facts()));
  else for (const line of startText(hub.facts())) console.log(line);
}

await main();
