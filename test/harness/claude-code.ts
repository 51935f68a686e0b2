import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

const PROGRAM = join(import.meta.dirname, "claude-code-process.ts");

export interface Fired {
  /** What hooks want beside the user's words. */
  context: string;
  /** Why a `Stop` hook does not let it stop. */
  block: string | undefined;
  /** What came whole, also of hooks that were killed afterwards. */
  written: string[];
  /** Of each hook that was not killed. */
  statuses: (number | null)[];
  stderr: string;
  /** Of the slowest. */
  ms: number;
}

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface ClaudeOptions {
  sessionId?: string;
  env?: Record<string, string>;
  cwd?: string;
}

/** A session of Claude Code, with the hooks of its settings; a process of its own. */
export class ClaudeCode implements AsyncDisposable {
  sessionId: string;
  readonly child: ChildProcess;
  /** What has woken it. */
  readonly wakes: string[] = [];
  /** How waiters ended that woke nobody. */
  readonly waitersEnded: (number | null)[] = [];
  readonly envFile: string;
  readonly #cwd: string;
  readonly #answers = new Map<number, (results: Result[]) => void>();
  #nextId = 1;

  constructor(
    house: TemporaryHome,
    { sessionId = crypto.randomUUID(), env = {}, cwd = house.dir }: ClaudeOptions = {},
  ) {
    this.sessionId = sessionId;
    this.#cwd = cwd;
    this.envFile = join(house.base, `env-${sessionId}`);
    mkdirSync(cwd, { recursive: true });
    const settings = [
      join(house.env.HOME!, ".claude", "settings.json"),
      join(cwd, ".claude", "settings.json"),
      join(cwd, ".claude", "settings.local.json"),
    ];
    this.child = fork(PROGRAM, settings, { env: { ...house.env, ...env }, cwd, silent: false });
    this.child.on(
      "message",
      (message: { id?: number; results?: Result[]; wake?: string; waiterEnded?: number | null }) => {
        if (message.wake !== undefined) this.wakes.push(message.wake);
        else if ("waiterEnded" in message) this.waitersEnded.push(message.waiterEnded!);
        else this.#answers.get(message.id!)?.(message.results!);
      },
    );
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Its own shell's environment, by what hooks have written. */
  environment(): string {
    return existsSync(this.envFile) ? readFileSync(this.envFile, "utf8") : "";
  }

  async fire(
    event: string,
    more: Record<string, unknown> = {},
    { killAfterMs }: { killAfterMs?: number } = {},
  ): Promise<Fired> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Result[]>();
    this.#answers.set(id, resolve);
    const ended = (): void => reject(new Error("the agent has ended"));
    this.child.once("exit", ended);
    void promise.catch(() => {}).finally(() => this.child.off("exit", ended));
    const input = {
      session_id: this.sessionId,
      transcript_path: join(this.#cwd, "t.jsonl"),
      cwd: this.#cwd,
      permission_mode: "default",
      hook_event_name: event,
      ...more,
    };
    const env = event === "SessionStart" ? { CLAUDE_ENV_FILE: this.envFile, CLAUDE_PROJECT_DIR: this.#cwd } : {};
    this.child.send({ id, input, env, killAfterMs });
    return firedOf(await promise);
  }

  start = (source = "startup"): Promise<Fired> => this.fire("SessionStart", { source });
  prompt = (prompt = "go on"): Promise<Fired> => this.fire("UserPromptSubmit", { prompt });
  tool = (more: Record<string, unknown> = {}): Promise<Fired> =>
    this.fire("PostToolUse", { tool_name: "Bash", tool_input: {}, tool_response: {}, ...more });
  stop = (isActive = false): Promise<Fired> => this.fire("Stop", { stop_hook_active: isActive });

  woken(count: number): Promise<string> {
    return waitUntil(() => this.wakes[count - 1], { what: `wake ${count}` });
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

interface Said {
  decision?: string;
  reason?: string;
  hookSpecificOutput?: { additionalContext?: string };
}

const textOf = ({ reason, hookSpecificOutput }: Said): string =>
  `${reason ?? ""}${hookSpecificOutput?.additionalContext ?? ""}`;

/** Of a hook that may have been killed while it wrote. */
function wholeOf(stdout: string): Said | undefined {
  try {
    return JSON.parse(stdout) as Said;
  } catch {
    return undefined;
  }
}

function firedOf(results: Result[]): Fired {
  const said = results
    .filter(({ status, stdout }) => status === 0 && stdout !== "")
    .map(({ stdout }) => JSON.parse(stdout) as Said);
  return {
    written: results.flatMap(({ stdout }) => wholeOf(stdout) ?? []).map(textOf),
    context: said.map(({ hookSpecificOutput }) => hookSpecificOutput?.additionalContext ?? "").join("\n"),
    block: said.find(({ decision }) => decision === "block")?.reason,
    statuses: results.map(({ status }) => status),
    stderr: results.map(({ stderr }) => stderr).join(""),
    ms: Math.max(0, ...results.map(({ ms }) => ms)),
  };
}
