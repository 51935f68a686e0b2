import type { Build } from "../../platform/build.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Lock } from "../../platform/lock.ts";
import type { Log } from "../../platform/log.ts";
import type { Places } from "../../platform/paths.ts";
import type { MailLog } from "../log/mail-log.ts";
import type { LeaderChange } from "./leader-change.ts";
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
  reason: LeaderChange["reason"];
  /** From the death of the leader before, as far as it was seen. */
  gapMs?: () => number;
  inherited?: Inherited | undefined;
  secret?: string | undefined;
  isStrict: boolean;
  /** Messages that are over are removed after this time; undefined: never. */
  keepMs?: number | undefined;
  idleMs: number;
  /** It leads, and serves. */
  onLed?: (change: LeaderChange) => void;
  /** The process may go. */
  onEnded: (status: number) => void;
}
