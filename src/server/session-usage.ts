import { UsageMeter } from "../gateway/instances/usage.ts";
import type { Clock } from "../platform/clock.ts";
import type { ProcessInfo } from "../platform/process.ts";
import type { Session } from "../protocol/units.ts";

/** What live sessions use, each with the processes of its terminal and their children: measured when a list asks for it, and at most twice a second. */
export class SessionUsage {
  readonly #meter: UsageMeter;

  constructor(clock: Clock) {
    this.#meter = new UsageMeter(clock);
  }

  /** The sessions with `cpu_percent` and `memory_bytes`. What has ended, or is about to start, uses nothing that could be told. */
  measured(sessions: readonly Session[]): Session[] {
    const live = sessions.filter(({ pid }) => pid > 0);
    this.#meter.measure(
      live.map(({ id, pid, started_at }) => ({
        id,
        startedAtMs: Date.parse(started_at),
        membersIn: ({ all }) => treeOf(pid, all),
      })),
    );
    return sessions.map((session) => {
      const used = session.pid > 0 ? this.#meter.of(session.id) : undefined;
      return used ? { ...session, cpu_percent: used.cpuPercent, memory_bytes: used.memoryBytes } : session;
    });
  }
}

/** The program, what shares its terminal's session (setsid(2)), and what descends from either. A job that was started from inside has left both. */
export function treeOf(leader: number, all: ReadonlyMap<number, ProcessInfo>): ProcessInfo[] {
  const members = new Map<number, ProcessInfo>();
  const children = Map.groupBy(all.values(), ({ ppid }) => ppid);
  const take = (info: ProcessInfo): void => {
    if (members.has(info.pid)) return;
    members.set(info.pid, info);
    for (const child of children.get(info.pid) ?? []) take(child);
  };
  for (const info of all.values()) if (info.pid === leader || info.sid === leader) take(info);
  return [...members.values()];
}
