import type { DebugAnswers, DebugFrame, DebugLogEntry, DebugRequest } from "../../protocol/debug.ts";
import { DEBUG_TOPICS, KILL_POINTS } from "../../protocol/debug.ts";
import { unreachable } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { askDebug, type DebugExchange } from "../debug/debug-connection.ts";
import { debugTarget, explained } from "../debug/debug-target.ts";
import {
  clientLines,
  faultLines,
  frameLine,
  leaseLines,
  logLine,
  memoryLines,
  stateLines,
} from "../debug/debug-text.ts";
import { parseFault, splitOperands } from "../debug/parse-fault.ts";
import { argumentsAtMost, usageError } from "../usage-error.ts";
import { countOf } from "../values.ts";

export const debug = defineCommand({
  usage: [
    "debug [SERVER] [state|clients|leases|memory] [--json]",
    "debug [SERVER] log [-f] [--since SEQ] [--json]",
    "debug [SERVER] frames [CLIENT] [--json]",
    "debug [SERVER] fault [list|set NAME [KEY=VALUE…]|clear [NAME]] [--json]",
  ],
  details: `Looks into a server through a socket of its own, which answers also when the public one does not. Starts nothing.

  state    its phase, what it waits for, jobs, sessions, streams (the default)
  clients  who is connected, what they follow, what they have not read
  leases   the programs that it steers, and how far the screens are behind them
  memory   of the process and its threads
  log      its last 1,000 events
  frames   each message of a client, or of all, until Ctrl-C: what it is and how long, never what it says
  fault    for tests, in a server that was started with WARREN_FAULTS=1:
             delay-reply [delay=1s] [type=MESSAGE]
             drop-connection [type=MESSAGE] [when=before|after] [count=1]
             pause-reads
             crash-at point=POINT [type=MESSAGE]
           POINT is one of ${KILL_POINTS.join(", ")}.`,
  examples: [
    { command: "warren debug", does: "what the primary server is doing" },
    { command: "warren debug frozen clients", does: "who is connected to the server frozen" },
    { command: "warren debug log -f", does: "its events, as they come" },
    {
      command: "warren debug fault set delay-reply delay=2s type=list",
      does: "every answer to list takes two seconds",
    },
  ],
  options: {
    follow: { type: "boolean", short: "f", description: "go on with log, until Ctrl-C" },
    since: { type: "string", value: "SEQ", description: "only events of log after this one" },
    json: { type: "boolean", description: `${JSON_OPTION.description}; what is followed, a line each` },
  },
  operands: { kinds: ["server", "choice", "text"], min: 0, max: Number.POSITIVE_INFINITY, choices: DEBUG_TOPICS },
  async run(context, { values, operands }) {
    const { server, topic, rest } = splitOperands(operands);
    const request = requestOf(topic, rest, { follow: values.follow === true, since: countOf("--since", values.since) });
    const target = await debugTarget(context, server);
    const isFollowed = request.type === "frames" || (request.type === "log" && request.follow === true);
    const exchange = await askDebug(target.path, request).catch((error) => {
      throw explained(error, target);
    });
    try {
      print(context, request.type, exchange.data, { isJson: values.json === true, isFollowed });
      if (!isFollowed) return EXIT.ok;
      return await follow(context, request.type, exchange, values.json === true);
    } finally {
      exchange.close();
    }
  },
});

function requestOf(
  topic: DebugRequest["type"],
  rest: readonly string[],
  { follow, since }: { follow: boolean; since: number | undefined },
): DebugRequest {
  if (topic !== "log" && (follow || since !== undefined))
    throw usageError(`${follow ? "-f" : "--since"} goes with log, not with ${topic}.`, "warren debug log -f");
  if (topic === "fault") return parseFault(rest);
  const most = topic === "frames" ? 1 : 0;
  if (rest.length > most)
    throw usageError(`debug ${topic} takes ${argumentsAtMost(most)}, got ${rest[most]}.`, "warren help debug");
  if (topic === "log") return { type: topic, since, follow };
  if (topic === "frames") return { type: topic, client: countOf("frames", rest[0]) };
  return { type: topic };
}

function print(
  { output, nowMs }: Context,
  type: DebugRequest["type"],
  data: DebugAnswers[DebugRequest["type"]],
  { isJson, isFollowed }: { isJson: boolean; isFollowed: boolean },
): void {
  if (isJson && !isFollowed) return output.json(data);
  const say = (lines: readonly string[]): void => {
    for (const line of lines) output.line(line);
  };
  switch (type) {
    case "state":
      return say(stateLines(output, data as DebugAnswers["state"]));
    case "clients": {
      const { clients } = data as DebugAnswers["clients"];
      return say(clients.length === 0 ? ["No clients"] : clientLines(output, clients, nowMs()));
    }
    case "leases": {
      const { leases } = data as DebugAnswers["leases"];
      return say(leases.length === 0 ? ["No sessions"] : leaseLines(output, leases));
    }
    case "memory":
      return say(memoryLines(output, data as DebugAnswers["memory"]));
    case "fault":
      return say(faultLines((data as DebugAnswers["fault"]).faults));
    case "log": {
      const { entries, dropped_count } = data as DebugAnswers["log"];
      if (dropped_count > 0) output.errorLine(`${dropped_count} older events are forgotten`);
      return say(entries.map(isJson ? (entry) => JSON.stringify(entry) : logLine));
    }
    case "frames":
      return;
    default:
      return unreachable(type);
  }
}

/** Until Ctrl-C, or the server's end. */
async function follow(
  context: Context,
  type: DebugRequest["type"],
  { events, close }: DebugExchange<DebugRequest["type"]>,
  isJson: boolean,
): Promise<number> {
  const interrupted = context.interrupted();
  interrupted.addEventListener("abort", close, { once: true });
  for await (const event of events) {
    const text = isJson
      ? JSON.stringify(event)
      : type === "log"
        ? logLine(event as DebugLogEntry)
        : frameLine(event as DebugFrame);
    await context.output.bytes("stdout", `${text}\n`);
  }
  if (interrupted.aborted) return EXIT.interrupted;
  context.output.errorLine("The server's process has ended");
  return EXIT.ok;
}
