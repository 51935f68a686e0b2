import type { Build } from "../../platform/build.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Lock } from "../../platform/lock.ts";
import type { Log } from "../../platform/log.ts";
import type { Places } from "../../platform/paths.ts";
import type { MailLog } from "../log/mail-log.ts";
import type { Inherited } from "./listeners.ts";

/** What a leadership is begun with. */
export interface LeadingOptions {
  places: Places;
  build: Build;
  log: Log;
  clock: Clock;
  mailLog: MailLog;
  lock: Lock;
  port: number | undefined;
  isDedicated: boolean;
  /** How it came to lead, for the stream `mail`. */
  reason: "started" | "taken_over" | "handed_over";
  /** From the death of the leader before, as far as it was seen. */
  gapMs?: () => number;
  inherited?: Inherited | undefined;
  secret?: string | undefined;
  isStrict: boolean;
  idleMs: number;
  /** The process may go. */
  onEnded: (status: number) => void;
}
