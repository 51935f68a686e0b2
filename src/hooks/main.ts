import { read } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../platform/clock.ts";
import { isLogLevel, openLog } from "../platform/log.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import { agentOf, ownProcess } from "./agent-process.ts";
import type { HookAnswer } from "./answer.ts";
import { NOTHING } from "./answer.ts";
import { onEvent, type Slow } from "./events.ts";
import { hookInputOf } from "./hook-input.ts";
import { HookSession } from "./hook-session.ts";
import type { HookWorld } from "./world.ts";

/**
 * What an agent runs at its events, `mail-hook.cjs claude`, and in the background, `mail-hook.cjs claude wake`. It runs at every use of a tool, so it loads next to
 * nothing; and it never fails the agent: whatever goes wrong, it says nothing, exits with 0, and tells its log.
 */
/** An event's hook has said nothing after this time: it gives up, and the next one gives what it had in hand. */
const DEADLINE_MS = 2_000;
/** One that takes a name may have to start the mailbox's leader. */
const START_DEADLINE_MS = 20_000;
const INPUT_MS_MAX = 2_000;
const INPUT_BYTES_MAX = 64 * 1024 * 1024;
const STDIN = 0;

async function main(): Promise<void> {
  const places = resolvePlaces(process.env);
  const log = openLog(
    join(places.serverLogsDir, "mail-hooks.log"),
    isLogLevel(process.env.WARREN_LOG) ? process.env.WARREN_LOG : "info",
  );
  const give = (answer: HookAnswer): void =>
    finish(answer, (error) => log.warn("not_written", { error: messageOf(error) }));
  const fail = (error: unknown): void => {
    log.warn("hook_failed", { error: messageOf(error), ...(error instanceof Error ? { stack: error.stack } : {}) });
    give(NOTHING);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  try {
    const input = hookInputOf(await allInput());
    if (!input) {
      log.debug("input_ignored");
      return give(NOTHING);
    }
    const session = new HookSession(places, input.sessionId);
    const world: HookWorld = {
      env: process.env,
      places,
      log,
      agent: agentOf(process.ppid),
      self: ownProcess(),
      begunMs: performance.timeOrigin,
      nowMs: () => Date.now(),
      randomId: () => crypto.randomUUID(),
    };
    if (process.argv[3] === "wake") {
      const { wake } = await import("./wake.ts");
      return give(await wake(world, session, { clock: systemClock }));
    }
    const deadlineMs =
      input.event === "SessionStart" || input.event === "UserPromptSubmit" ? START_DEADLINE_MS : DEADLINE_MS;
    setTimeout(() => fail(new Error(`${input.event} took ${deadlineMs} ms`)), deadlineMs).unref();
    give(await onEvent(input, world, session, loadSlow));
  } catch (error) {
    fail(error);
  }
}

const loadSlow = (): Promise<Slow> => import("./slow.ts");

/** Ends the process: when the answer is with the system, and what that proves is kept. */
function finish({ stdout, stderr, status, written }: HookAnswer, onError: (error: unknown) => void): void {
  const text = stdout ?? stderr;
  if (text === undefined) process.exit(status);
  const stream = stdout === undefined ? process.stderr : process.stdout;
  stream.on("error", () => process.exit(0)); // nobody reads it: it is given another time
  stream.write(text, (error) => {
    if (error) process.exit(0);
    try {
      written?.();
    } catch (failed) {
      onError(failed);
    }
    process.exit(status);
  });
}

/** Standard input to its end. A terminal, or one that stays open, says nothing. */
function allInput(): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let byteCount = 0;
    const done = (): void => {
      clearTimeout(timer);
      resolve(byteCount > INPUT_BYTES_MAX ? "" : Buffer.concat(chunks).toString("utf8"));
    };
    const timer = setTimeout(done, INPUT_MS_MAX);
    const next = (): void => {
      const buffer = Buffer.allocUnsafe(64 * 1024);
      read(STDIN, buffer, 0, buffer.length, null, (error, count) => {
        if (error || count === 0) return done();
        byteCount += count;
        if (byteCount > INPUT_BYTES_MAX) return done();
        chunks.push(buffer.subarray(0, count));
        next();
      });
    };
    next();
  });
}

void main();
