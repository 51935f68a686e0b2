import type { Command } from "../timed.ts";

/**
 * One tool under measurement, with a home of its own. Commands are only described here; the cases time them. What a tool lacks is absent, and the
 * report says "–".
 */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** Starts the daemon where that is a step of its own; when it resolves, the daemon answers. */
  up(): Promise<void>;
  /** Ends jobs and daemon; the home stays. Safe when nothing runs. */
  down(): Promise<void>;
  /** The processes of the tool itself, without those of the jobs. */
  daemonPids(): Promise<number[]>;
  readonly list: Command;
  /** Whether the daemon answers. Where a client starts its own daemon, this is the cold start too. */
  readonly ping?: Command;
  /** Not timed: what the tool needs to know before `add` (a file of its configuration). */
  define?(jobs: readonly JobSpec[]): Promise<void>;
  add(job: JobSpec): Command;
  /** Stops a job and forgets it. Not timed. */
  remove(name: string): Promise<void>;
  /** Starts many by one command; the file that it reads is made here, untimed. */
  addAll?(jobs: readonly JobSpec[]): Promise<Command>;
}

export interface JobSpec {
  name: string;
  command: readonly [string, ...string[]];
}

/** A job that does nothing, and ends by itself should all else fail. */
export const sleeper = (name: string): JobSpec => ({ name, command: ["/bin/sleep", "1800"] });

export const sleepers = (count: number): JobSpec[] => Array.from({ length: count }, (_, at) => sleeper(`job-${at}`));
