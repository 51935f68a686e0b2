import { existsSync } from "node:fs";
import { Client } from "../client/client.ts";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { readProcess } from "../platform/process.ts";
import { newRequestId } from "../platform/request-id.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import { dialMailbox } from "./mail-link.ts";

/** Ends the mailbox's leader and its standby, without a successor; all mail stays. A member that lives on may start another. */
const ANSWER_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 10_000;
const POLL_MS = 5;

export interface MailEnd {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
}

/** False when nobody led. @throws MAILBOX_STAYS */
export async function endMailbox({ places, build, env }: MailEnd): Promise<boolean> {
  if (!existsSync(places.mailLock)) return false; // nobody ever has
  const client = new Client({
    dial: dialMailbox({ places, build, env, mode: "find" }),
    name: "warren",
    version: build.version,
    randomId: newRequestId,
  });
  try {
    const { status } = await client.request("mail.status", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    await client.request("shutdown", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    await gone(status.leader.pid);
    return true;
  } catch (error) {
    if (isWarrenError(error, "NO_LEADER") || isWarrenError(error, "CONNECTION_LOST")) return false;
    throw error;
  } finally {
    client.close();
  }
}

async function gone(pid: number): Promise<void> {
  const before = readProcess(pid);
  const untilMs = performance.now() + END_TIMEOUT_MS;
  for (;;) {
    const now = readProcess(pid);
    if (!now || now.state === "Z" || now.startTicks !== before?.startTicks) return;
    if (performance.now() > untilMs) break;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  throw new WarrenError("MAILBOX_STAYS", `The mailbox's leader has not ended in 10 s: pid ${pid}.`, {
    fix: `kill -9 ${pid}`,
  });
}
