/**
 * The terminals that an agent runs its commands in (ACP's terminal/*). An answer may be given by another server than the one that was asked, so
 * terminals live outside of the server, and are found again by their id.
 */
export interface AgentTerminals {
  /**
   * Starts a command; its id. The same `key` again starts nothing and gives the same id: a server that dies between the start and its answer is
   * followed by one that does not know of it.
   * @throws an error whose message the agent gets.
   */
  create(spec: TerminalSpec, key: string): Promise<string>;
  output(id: string): Promise<TerminalOutput>;
  /** Rejects when `signal` aborts. */
  waitForExit(id: string, signal: AbortSignal): Promise<TerminalExit>;
  /** Ends the command; its output stays. */
  kill(id: string): Promise<void>;
  /** Ends the command and forgets the terminal; what was shown of it stays. */
  release(id: string): Promise<void>;
}

export interface TerminalSpec {
  command: string;
  args: string[];
  env: { name: string; value: string }[];
  cwd?: string;
  /** The newest output that is kept. */
  outputByteLimit: number;
}

export interface TerminalOutput {
  output: string;
  /** The oldest of it is gone. */
  truncated: boolean;
  /** Null while it runs. */
  exit: TerminalExit | null;
}

/** One of them is null. */
export interface TerminalExit {
  exitCode: number | null;
  /** By name: "SIGTERM". */
  signal: string | null;
}
