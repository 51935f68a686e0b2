import { userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connectUnit } from "../local/connect-unit.ts";
import { thisBuild } from "../platform/build.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import { SCOPES } from "../sealing/scopes.ts";
import { readAppFiles } from "../web-files/app-files.ts";
import { Access } from "./access.ts";
import { openBrowser } from "./open-browser.ts";
import { WebHost } from "./web-host.ts";

/** `web.js`: the app for this machine, in the foreground, until SIGINT or SIGTERM. It prints the link that lets a browser in, and a new one whenever one was used. */
const DEFAULT_PORT = 7118;
const EXIT_BROKEN = 70;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      "no-open": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { env, stdout } = process;
  const places = resolvePlaces(env);
  const fail = (error: unknown): never => {
    console.error(`error: The app's server has failed: ${messageOf(error)}`);
    process.exit(EXIT_BROKEN);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const access = new Access();
  const host = new WebHost({
    port: Number(values.port ?? (env.WARREN_WEB_PORT || DEFAULT_PORT)),
    files: readAppFiles(join(thisBuild().dir, "web"), "machine"),
    access,
    greeting: { scopes: SCOPES, by: userName() },
    connect: (target, events) => connectUnit(places, target, events),
    onUsed: () => tell("again"),
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => {
      host.close();
      process.exit(0);
    });
  const tell = (which: "first" | "again"): string => {
    const url = `http://127.0.0.1:${host.port}/#t=${access.newToken()}`;
    if (values.json) console.log(JSON.stringify({ url, port: host.port, pid: process.pid }));
    else if (which === "first")
      console.log(
        `Warren in a browser of this machine, until Ctrl-C:\n\n  ${url}\n\nThe link is good for one browser, once.`,
      );
    else console.log(`\nA browser was let in. The link for the next one:\n\n  ${url}`);
    return url;
  };
  try {
    await host.listen();
  } catch (error) {
    if (!isWarrenError(error)) throw error;
    console.error(`error: ${error.message}${error.fix ? `\n${error.fix}` : ""}`);
    process.exit(EXIT.error);
  }
  const url = tell("first");
  if (!values["no-open"] && !values.json && stdout.isTTY) openBrowser({ url, dir: places.home, env });
}

/** Where no name is given to the user's number, there is none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}

await main();
