import type { Client } from "../client/client.ts";
import { dialPrimary } from "../local/dial-primary.ts";
import { thisBuild } from "../platform/build.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { EXIT } from "../protocol/outcome.ts";
import { runCli } from "./cli.ts";
import type { Context } from "./context.ts";
import { exactEnvironment } from "./exact-environment.ts";
import type { MachineDoor } from "./on/machine-door.ts";
import { takeOn } from "./on/on-flag.ts";
import { openClient } from "./open-client.ts";
import { openOutput } from "./output.ts";

/**
 * The only place that reads the process (arguments, environment, directory, parent) and the only one that ends it. Its imports are the hot path of
 * every command: no schemas, no YAML, no database; commands are loaded by the verb table.
 */
const [, , ...argv] = process.argv;
process.once("beforeExit", onNothingLeft);
void main().then((status) => process.exit(status));

async function main(): Promise<number> {
  if (process.platform === "win32") {
    console.error("Warren runs on Linux and macOS; on Windows, use it inside WSL.");
    return EXIT.error;
  }
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, env: process.env, onGone });
  const clients: Client[] = [];
  let door: MachineDoor | undefined;
  const doorTo = async (on: string | undefined) => {
    if (on === undefined) return undefined;
    const { openDoor } = await import("./on/open-door.ts"); // what is not used costs nothing
    const opened = openDoor(on, resolvePlaces(exactEnvironment(process.env)), output);
    door = opened?.machine;
    return opened;
  };
  const status = await runCli(argv, async (on) => makeContext(output, clients, await doorTo(on)), output);
  for (const client of clients) client.close();
  door?.close();
  await output.flushed();
  return status;
}

/** With nobody to read what is printed there is no more to do; but a wait for a job's status goes on, since its caller wants that status, as does a deploy that is received. */
function onGone(): void {
  const [verb = ""] = takeOn(argv).rest; // whoever prints has been through this
  if (!["run", "await", "wait", "receive"].includes(verb)) process.exit(EXIT.ok);
}

/** The runtime ends a process in which nothing can happen any more, with status 0: what was awaited has not come. */
function onNothingLeft(): void {
  console.error("error: What was waited for can no longer come: this is a fault of Warren's.\nwarren doctor");
  process.exit(EXIT.error);
}

function makeContext(
  here: Context["output"],
  clients: Client[],
  there: { machine: MachineDoor; output: Context["output"] } | undefined,
): Context {
  const { machine, output } = there ?? { machine: undefined, output: here };
  const env = exactEnvironment(process.env);
  const places = resolvePlaces(env);
  const build = thisBuild();
  let interrupt: AbortController | undefined;
  const shared: { start?: Client; find?: Client } = {};
  const open = (mode: "start" | "find"): Client => {
    const dial = machine ? machine.dialLines() : dialPrimary({ places, build, env, mode });
    const client = openClient(build, { dial });
    clients.push(client);
    return client;
  };
  return {
    env,
    said: argv,
    cwd: process.cwd(),
    places,
    build,
    output,
    ...(machine ? { machine } : {}),
    parentPid: process.ppid,
    nowMs: () => Date.now(),
    client(mode = "start") {
      shared[mode] ??= open(mode);
      return shared[mode];
    },
    ownClient: (mode = "start") => open(mode),
    ownedClient(client) {
      clients.push(client);
      return client;
    },
    interrupted() {
      if (interrupt) return interrupt.signal;
      const controller = new AbortController();
      interrupt = controller;
      process.on("SIGINT", () => {
        if (controller.signal.aborted) process.exit(EXIT.interrupted);
        controller.abort();
      });
      return controller.signal;
    },
  };
}
