import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { thisBuild } from "../../platform/build.ts";
import { systemClock } from "../../platform/clock.ts";
import { closeInheritedDescriptors } from "../../platform/descriptors.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { isLogLevel, openLog } from "../../platform/log.ts";
import { resolvePlaces } from "../../platform/paths.ts";
import { isWarrenError, messageOf, systemCode, toWire } from "../../protocol/errors.ts";
import { Candidate, type CandidateOptions } from "./candidate.ts";
import { keepTime } from "./keep-time.ts";
import { tellLeaderChange } from "./leader-change.ts";
import { IDLE_MS } from "./limits.ts";
import { PredecessorLine } from "./predecessor-line.ts";

/**
 * A process that may lead the mailbox: `mail-leader.js` takes the lead if nobody has it, `--standby-of` waits for its leader's death, `--successor` is handed the
 * lead, `--leader-changed` runs the command that the home wants run then. On fd 3 it says its first word (`leading`, `busy`, or an error), or talks with the leader before; 4 and 5 are then the listening sockets. Whoever was
 * started by somebody who is gone by then does not lead: others who want a leader start one, and a home that was ended stays ended.
 */
const WORD_FD = 3;
const [UNIX_FD, TCP_FD] = [4, 5];
const DEFAULT_PORT = 9876;
const EXIT_FAILURE = 70;

async function main(): Promise<void> {
  process.umask(0o077);
  const { values } = parseArgs({
    options: {
      "standby-of": { type: "string" },
      successor: { type: "boolean", default: false },
      dedicated: { type: "boolean", default: false },
      "inherited-port": { type: "string" },
      "leader-changed": { type: "boolean", default: false },
    },
  });
  const inheritedPort = values["inherited-port"] === undefined ? undefined : Number(values["inherited-port"]);
  closeInheritedDescriptors(keptDescriptors(values, inheritedPort !== undefined));
  const { env } = process;
  const places = resolvePlaces(env);
  const level = isLogLevel(env.WARREN_LOG) ? env.WARREN_LOG : "info";
  const log = openLog(places.mailLeaderLog, level);
  const fail = (event: string, error: unknown): never => {
    log.error(event, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    process.exit(EXIT_FAILURE);
  };
  process.on("uncaughtException", (error) => fail("uncaught", error));
  process.on("unhandledRejection", (error) => fail("unhandled", error));
  if (values["leader-changed"]) {
    const { runOnLeaderChanged } = await import("./on-leader-changed.ts");
    return await runOnLeaderChanged({ places, env, log, clock: systemClock });
  }
  const isPlainStart = values["standby-of"] === undefined && !values.successor;
  if (isPlainStart && !isHeard(" ")) process.exit(0);
  makeDirectories(places.mailDir, 0o700);
  const { keepMs, problem } = keepTime(env.WARREN_MAIL_KEEP);
  if (problem !== undefined) log.warn("mail_keep_not_followed", { problem });
  const options: CandidateOptions = {
    places,
    build: thisBuild(),
    log,
    clock: systemClock,
    logPath: join(places.mailDir, "log.db"),
    port: portIn(env.WARREN_MAIL_PORT),
    isDedicated: values.dedicated,
    secret: env.IPC_SHARED_SECRET || undefined,
    isStrict: env.WARREN_MAIL_COMPAT === "strict",
    keepMs,
    idleMs: Number(env.WARREN_MAIL_IDLE_MS || IDLE_MS),
    onLed: (change) => tellLeaderChange({ home: places.home, clock: systemClock, log }, change),
    onEnded: (status) => process.exit(status),
  };
  const candidate = new Candidate(options);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void candidate.terminate());
  process.on("SIGHUP", () => {});
  if (values["standby-of"] !== undefined) return await candidate.standBy(Number(values["standby-of"]));
  if (values.successor) {
    const tcp = inheritedPort === undefined ? undefined : { fd: TCP_FD, port: inheritedPort };
    return await candidate.succeed(new PredecessorLine(WORD_FD), { unix: UNIX_FD, tcp });
  }
  try {
    const word = await candidate.lead();
    const isWanted = isHeard(`${word}\n`);
    if (word === "busy") process.exit(0);
    if (!isWanted) await candidate.end();
  } catch (error) {
    isHeard(`${JSON.stringify(toWire(error, "MAIL_START_FAILED"))}\n`);
    if (isWarrenError(error)) {
      log.error("start_failed", { code: error.code, error: error.message });
      process.exit(EXIT_FAILURE);
    }
    fail("start_failed", error);
  }
}

function keptDescriptors(
  values: { "standby-of"?: string | undefined; successor: boolean; "leader-changed": boolean },
  hasPort: boolean,
): number[] {
  const { successor } = values;
  if (values["standby-of"] !== undefined || values["leader-changed"]) return [];
  if (!successor) return [WORD_FD];
  return hasPort ? [WORD_FD, UNIX_FD, TCP_FD] : [WORD_FD, UNIX_FD];
}

/** `off`: none. */
function portIn(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  return Number.isInteger(port) && port >= 0 && port < 65_536 ? port : undefined;
}

/** Says `text` to whoever started it; false when that one is gone. The last line closes the pipe. */
function isHeard(text: string): boolean {
  try {
    writeSync(WORD_FD, text);
    if (text.endsWith("\n")) closeSync(WORD_FD);
    return true;
  } catch (error) {
    return systemCode(error) === "EBADF"; // it was given none
  }
}

await main();
