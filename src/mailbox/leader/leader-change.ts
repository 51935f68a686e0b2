import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf, systemCode } from "../../protocol/errors.ts";
import { STANDBY_AFTER_MS } from "./limits.ts";

/** Another process leads the mailbox. */
export interface LeaderChange {
  epoch: number;
  reason: "started" | "taken_over" | "handed_over";
  /** From the end of the leader before, as far as it was seen. */
  gapMs?: number | undefined;
}

/** In the home's config.yaml, under `mail`. */
const KEY = "on_leader_changed";

export interface LeaderChangeOptions {
  home: string;
  clock: Clock;
  log: Log;
  /** Starts the process that runs the command. */
  start?: (variables: Record<string, string>) => void;
}

/**
 * Has the command run that the user wants run when the leader changes, by a process of its own (`on-leader-changed.ts`), so that neither waits for the other.
 * The leader only looks whether config.yaml speaks of one; it reads no YAML. Only after those are served who have waited for a leader.
 */
export function tellLeaderChange({ home, clock, log, start = startRunner }: LeaderChangeOptions, change: LeaderChange) {
  clock.timer(STANDBY_AFTER_MS, () => {
    readFile(join(home, "config.yaml"), "utf8")
      .then((text) => {
        if (text.includes(KEY)) start(variablesOf(change));
      })
      .catch((error: unknown) => {
        if (systemCode(error) !== "ENOENT") log.error("leader_change_not_told", { error: messageOf(error) });
      });
  });
}

const variablesOf = ({ epoch, reason, gapMs }: LeaderChange): Record<string, string> => ({
  WARREN_MAIL_PID: String(process.pid),
  WARREN_MAIL_EPOCH: String(epoch),
  WARREN_MAIL_REASON: reason,
  WARREN_MAIL_GAP_MS: gapMs === undefined ? "" : String(Math.round(gapMs)),
});

/** This program again, in a session of its own: it goes on when the leader dies. */
function startRunner(variables: Record<string, string>): void {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, "--leader-changed"], {
    cwd: "/",
    detached: true,
    env: { ...process.env, ...variables },
    stdio: ["ignore", "inherit", "inherit"],
  });
  child.on("error", () => {}); // no process can be had: the next change is told again
  child.unref();
}
