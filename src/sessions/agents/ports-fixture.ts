import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AgentTerminals, TerminalExit, TerminalSpec } from "./terminals.ts";

/** Terminals without terminals: commands by pipes, which outlive the link as the keeper's do. */
export class TestTerminals implements AgentTerminals {
  readonly started: TerminalSpec[] = [];
  readonly #terminals = new Map<
    string,
    { child: ChildProcess; output: string; exit: Promise<TerminalExit>; ended: TerminalExit | null }
  >();

  async create(spec: TerminalSpec, key: string): Promise<string> {
    const id = `term-${key}`;
    if (this.#terminals.has(id)) return id;
    this.started.push(spec);
    const env = { ...process.env, ...Object.fromEntries(spec.env.map(({ name, value }) => [name, value])) };
    const child = spawn(spec.command, spec.args, { cwd: spec.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const exit = once(child, "close").then(([exitCode, signal]) => ({ exitCode, signal }) as TerminalExit);
    const terminal = { child, output: "", exit, ended: null as TerminalExit | null };
    const take = (chunk: Buffer): void => {
      terminal.output = (terminal.output + chunk.toString()).slice(-spec.outputByteLimit);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void exit.then((ended) => {
      terminal.ended = ended;
    });
    this.#terminals.set(id, terminal);
    return id;
  }

  async output(id: string): Promise<{ output: string; truncated: boolean; exit: TerminalExit | null }> {
    const { output, ended } = this.#get(id);
    return { output, truncated: false, exit: ended };
  }

  async waitForExit(id: string): Promise<TerminalExit> {
    return this.#get(id).exit;
  }

  async kill(id: string): Promise<void> {
    this.#get(id).child.kill("SIGKILL");
  }

  async release(id: string): Promise<void> {
    this.#get(id).child.kill("SIGKILL");
  }

  async close(): Promise<void> {
    for (const { child, exit } of this.#terminals.values()) {
      child.kill("SIGKILL");
      await exit;
    }
  }

  #get(id: string) {
    const terminal = this.#terminals.get(id);
    if (!terminal) throw new Error(`no terminal ${id}`);
    return terminal;
  }
}
