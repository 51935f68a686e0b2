import { randomUUIDv7 } from "node:crypto";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Client } from "../client/client.ts";
import { dialPrimary } from "../local/dial-primary.ts";
import { MailMember } from "../local/mail-member.ts";
import type { Build } from "../platform/build.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { isLogLevel, type Log, openLog } from "../platform/log.ts";
import { ensureHome, type Places } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import { Identity } from "./mail/identity.ts";
import { Mailbox } from "./mail/mailbox.ts";
import { mcpServer } from "./mcp-server.ts";
import { OnDemandClient } from "./on-demand-client.ts";
import { StdioWire } from "./stdio-wire.ts";
import { type Compat, toolsFor } from "./tools.ts";
import type { World } from "./world.ts";

export interface McpContext {
  env: Readonly<NodeJS.ProcessEnv>;
  cwd: string;
  places: Places;
  build: Build;
  input: Readable;
  output: Writable;
  /** The name to take in the mailbox. */
  as?: string | undefined;
  compat?: Compat | undefined;
  /** `share_command` runs what it is given. Default: it is refused. */
  allowCommands?: boolean | undefined;
}

const GREETING_TIMEOUT_MS = 10_000;

/** Serves MCP on `input` and `output` until the client closes them. The output is the protocol's alone; what happens is told in `mcp.log`. */
export async function runMcp(context: McpContext): Promise<void> {
  const { env, places, cwd, input, output } = context;
  ensureHome(places);
  const log = openLog(join(places.serverLogsDir, "mcp.log"), isLogLevel(env.WARREN_LOG) ? env.WARREN_LOG : "info");
  const world = openWorld(context, { log, clock: systemClock });
  const who = { pid: process.pid, cwd };
  log.info("mcp_started", who);
  const wire = new StdioWire(input, output);
  const tools = toolsFor({ compat: context.compat, allowCommands: context.allowCommands === true });
  const server = serveStdio(({ era }) => mcpServer(world, { tools, era }), {
    transport: wire,
    onerror: (error) => log.warn("mcp_error", { ...who, error: messageOf(error) }),
  });
  world.mail.begin();
  await wire.ended;
  await server.close();
  world.primary.close();
  world.mail.close();
  log.info("mcp_ended", who);
}

function openWorld({ env, cwd, places, build, as }: McpContext, { log, clock }: { log: Log; clock: Clock }): World {
  const openPrimary = (): Client =>
    new Client({
      name: "warren-mcp",
      version: build.version,
      randomId: randomUUIDv7,
      greetingTimeoutMs: GREETING_TIMEOUT_MS,
      dial: dialPrimary({ places, build, env, mode: "start" }),
    });
  const mail = new Mailbox({
    identity: new Identity({ env, cwd, places, given: as }),
    clock,
    log,
    open: (introduce) => new MailMember({ places, build, env, kind: "mcp", introduce, clock }),
  });
  return { env, cwd, places, build, clock, log, mail, primary: new OnDemandClient(openPrimary, clock) };
}
