import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type CallToolResult, Client, type Progress } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { thisInstallation } from "./build-copy.ts";
import type { TemporaryHome } from "./home.ts";

/** Both eras of the protocol, as a client opens the connection. */
export const ERAS = ["legacy", "modern"] as const;
export type Era = (typeof ERAS)[number];

export interface AgentOptions {
  era?: Era;
  args?: readonly string[];
  env?: Record<string, string>;
  cwd?: string;
}

/** What a tool answered, with its data as the test needs it. */
export interface Answer {
  isError: boolean;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each tool has its own, and the client has checked it against the tool's schema
  data: any;
  code: string | undefined;
}

/** A coding agent as far as MCP sees it: the SDK's client, with `warren mcp` behind it as its own process. */
export class McpAgent implements AsyncDisposable {
  readonly client: Client;
  readonly #transport: StdioClientTransport;

  static async start(house: TemporaryHome, options: AgentOptions = {}): Promise<McpAgent> {
    const agent = new McpAgent(house, options);
    await agent.client.connect(agent.#transport);
    await agent.client.listTools(); // from then on it checks each answer against the tool's schema
    return agent;
  }

  private constructor(house: TemporaryHome, { era = "modern", args = [], env = {}, cwd = house.dir }: AgentOptions) {
    this.#transport = new StdioClientTransport({
      command: thisInstallation().bin,
      args: ["mcp", ...args],
      env: { ...house.env, ...env },
      cwd,
      stderr: "inherit",
    });
    const mode = era === "legacy" ? era : { pin: "2026-07-28" };
    this.client = new Client({ name: "test-agent", version: "1.0.0" }, { versionNegotiation: { mode } });
  }

  get pid(): number {
    return this.#transport.pid ?? assert.fail("it does not run");
  }

  async call(
    name: string,
    args: Record<string, unknown> = {},
    options: { onprogress?: (progress: Progress) => void; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    return answerOf(await this.client.callTool({ name, arguments: args }, { timeout: 60_000, ...options }));
  }

  /** A call that has to succeed. */
  async ok(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    const answer = await this.call(name, args);
    assert.equal(answer.isError, false, answer.text);
    return answer;
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function answerOf({ isError = false, content, structuredContent, _meta }: CallToolResult): Answer {
  const text = content.map((part) => (part.type === "text" ? part.text : "")).join("");
  const error = _meta?.["warren/error"] as { code?: string } | undefined;
  return { isError, text, data: structuredContent, code: error?.code };
}

/** `warren mcp` without a library: lines as they are. */
export class RawMcp implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(house: TemporaryHome, args: readonly string[] = []) {
    this.child = spawn(thisInstallation().bin, ["mcp", ...args], {
      cwd: house.dir,
      env: house.env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.child.stdin!.on("error", () => {});
    this.ended = new Promise((resolve) => this.child.once("close", (status) => resolve(status)));
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      this.lines.push(line);
      for (const look of this.#waiting) look();
    });
  }

  write(text: string | Buffer): void {
    this.child.stdin!.write(text);
  }

  send(message: Record<string, unknown>): void {
    this.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  /** The answer to the request with that id. */
  async answer(id: number): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined =>
      this.lines.map((line) => JSON.parse(line)).find((message) => message.id === id);
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const look = (): void => {
      const found = find();
      if (found) resolve(found);
    };
    this.#waiting.add(look);
    const timer = setTimeout(() => reject(new Error(`no answer to ${id}: ${this.lines.join("\n")}`)), 20_000);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await this.ended;
    clearTimeout(timer);
  }
}
