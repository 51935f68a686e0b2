import type { Build } from "../../platform/build.ts";
import { type Clock, timestamp } from "../../platform/clock.ts";
import { readProcess } from "../../platform/process.ts";
import { PROTOCOL } from "../../protocol/envelope.ts";
import type { MailLeader, MailStatus } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import type { LeaderLog } from "./leader-log.ts";
import type { Listeners } from "./listeners.ts";
import type { MachinesSide } from "./machines-side.ts";
import type { Roll } from "./roll.ts";
import type { Waits } from "./waits.ts";

/** What a leader tells of itself. */
export interface DescriptionOptions {
  build: Build;
  socketPath: string;
  isDedicated: boolean;
  clock: Clock;
  epoch: () => number;
  leaderLog: LeaderLog;
  listeners: Listeners;
  roll: Roll;
  connectionCount: () => number;
  waits: Waits;
  machines: MachinesSide;
}

export class Description {
  readonly #options: DescriptionOptions;
  readonly #sinceMs: number;

  constructor(options: DescriptionOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.wallMs();
  }

  /** Beside what servers say: by `built_at_ms` a newer build knows that it should lead. */
  hello({ protocol }: PayloadOf<"hello">): DataOf<"hello"> {
    const { build, epoch } = this.#options;
    return {
      protocol: Math.min(protocol.max, PROTOCOL.max),
      server: "mailbox",
      version: build.version,
      git_hash: build.hash,
      primary: true,
      capabilities: ["mail"],
      built_at_ms: build.builtAtMs,
      epoch: epoch(),
      pid: process.pid,
    };
  }

  leader(): MailLeader {
    const { build, socketPath, isDedicated, listeners, epoch } = this.#options;
    const { port } = listeners;
    return {
      pid: process.pid,
      epoch: epoch(),
      since: timestamp(this.#sinceMs),
      git_hash: build.hash,
      version: build.version,
      socket: socketPath,
      ...(port === undefined ? {} : { port }),
      is_dedicated: isDedicated,
      pid_start: ownStart(),
    };
  }

  async status(): Promise<MailStatus> {
    const { leaderLog, listeners, roll, connectionCount, waits, clock, machines } = this.#options;
    const nowMs = clock.wallMs();
    const numbers = await leaderLog.read({ type: "mail.status", payload: {}, by: { client: "leader" }, nowMs });
    const { leader: _, ...counts } = numbers;
    const { portProblem } = listeners;
    return {
      leader: this.leader(),
      members: roll.members(),
      ...counts,
      connections: connectionCount(),
      waiting: waits.count,
      ...(portProblem === undefined ? {} : { port_problem: portProblem }),
      ...(machines.isJoined ? { machines: await machines.list() } : {}),
    };
  }
}

/** Ticks after boot; "" where the system does not tell. */
export const ownStart = (): string => String(readProcess(process.pid)?.startTicks ?? "");
