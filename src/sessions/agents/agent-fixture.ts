import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import type { ConversationItem } from "../../protocol/conversation.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { AgentLink, type AgentLinkOptions } from "./agent-link.ts";
import type { ConversationCheckpoint } from "./checkpoint.ts";
import { Conversation } from "./conversation.ts";
import { TestTerminals } from "./ports-fixture.ts";

export const SCRIPTED = join(import.meta.dirname, "../../../examples/agents/scripted.ts");
const DEADLINE_MS = 20_000;

/** A record of the journal, as the fold takes it. `input` is without its source. */
export interface TestRecord {
  kind: "output" | "input" | "end";
  offset: number;
  bytes: Uint8Array;
  timeMs: number;
  exit?: { code: number | null; signal: number | null };
}

/**
 * A keeper in memory: holds one agent by pipes and writes down what passes, in order. Its records outlive the agent's processes, and its holders come
 * and go: a write of a former holder is refused, and one with a known key does nothing.
 */
export class TestKeeper {
  readonly records: TestRecord[] = [];
  readonly terminals = new TestTerminals();
  /** Called after each record; before the holder hears of it. */
  onRecord: (count: number) => void = () => {};
  /** Writes wait for it. */
  gate: Promise<void> | undefined;
  /** Of a line, by its key: the keeper's disk has no room for it. */
  refuses: (key: string) => boolean = () => false;
  #child: ChildProcess | undefined;
  #epoch = 0;
  #holder: ((record: TestRecord) => void) | undefined;
  #held: TestRecord[] | undefined;
  readonly #keys = new Set<string>();
  readonly #bytes = { output: 0, input: 0 };

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  open(command: string[], options: { cwd: string; env?: Record<string, string> }): void {
    const [program = "", ...args] = command;
    const env = { ...process.env, NODE_OPTIONS: "", ...options.env };
    const child = spawn(program, args, { cwd: options.cwd, env, stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    child.stdin?.on("error", () => {}); // it has ended: `close` tells
    child.stdout?.on("data", (bytes: Buffer) => this.#append("output", bytes));
    child.on("close", (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      this.#push({
        kind: "end",
        offset: this.#bytes.output,
        bytes: new Uint8Array(),
        timeMs: Date.now(),
        exit: { code, signal: signal ? 9 : null },
      });
    });
  }

  /** The one who is told of records from now on, and who alone may write. */
  take(holder: (record: TestRecord) => void): {
    write: (bytes: Uint8Array, options: { key: string }) => Promise<void>;
  } {
    const epoch = ++this.#epoch;
    this.#holder = holder;
    return {
      write: async (bytes, { key }) => {
        if (epoch !== this.#epoch) throw new WarrenError("STALE_EPOCH", `epoch ${epoch} is over`);
        if (!this.#child) throw new WarrenError("CHANNEL_ENDED", "the agent has ended");
        if (this.#keys.has(key)) return;
        if (this.refuses(key)) throw new WarrenError("AGENT_INPUT_REFUSED", `${key} was not taken`);
        this.#keys.add(key);
        if (this.gate) await this.gate;
        this.#child.stdin?.write(bytes);
        this.#append("input", bytes);
      },
    };
  }

  /** Records are told later, as by a doorbell that has not rung yet. The answer tells them. */
  hold(): () => void {
    const held: TestRecord[] = [];
    this.#held = held;
    return () => {
      this.#held = undefined;
      for (const record of held) this.#holder?.(record);
    };
  }

  /** Ends the agent; resolves when its end is in the journal. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  #append(kind: "output" | "input", bytes: Uint8Array): void {
    const offset = this.#bytes[kind];
    this.#bytes[kind] += bytes.length;
    this.#push({ kind, offset, bytes: new Uint8Array(bytes), timeMs: Date.now() });
  }

  #push(record: TestRecord): void {
    this.records.push(record);
    this.onRecord(this.records.length);
    if (this.#held) this.#held.push(record);
    else this.#holder?.(record);
  }
}

export function fold(conversation: Conversation, { kind, offset, bytes, timeMs, exit }: TestRecord): void {
  if (kind === "output") conversation.onAgentBytes(offset, bytes, timeMs);
  else if (kind === "input") conversation.onClientBytes(offset, bytes, timeMs);
  else conversation.onEnd(timeMs, exit);
}

/** One generation of a server: the conversation as the journal tells it, and a link. */
export class TestServer {
  readonly conversation: Conversation;
  readonly link: AgentLink;
  readonly #stop = new AbortController();

  constructor(keeper: TestKeeper, options: Partial<AgentLinkOptions> & { cwd: string; from?: ConversationCheckpoint }) {
    const { from, ...rest } = options;
    const conversation = from ? Conversation.restore(structuredClone(from)) : new Conversation();
    for (const record of keeper.records) fold(conversation, record);
    const { write } = keeper.take((record) => {
      if (!this.#stop.signal.aborted) fold(conversation, record);
    });
    this.conversation = conversation;
    this.link = new AgentLink({
      conversation,
      write: async (bytes, options) => {
        if (this.isDead) throw new Error("this server is dead");
        await write(bytes, options);
      },
      client: { name: "warren", version: "0.0.0" },
      terminals: keeper.terminals,
      clock: systemClock,
      log: silentLog,
      signal: this.#stop.signal,
      ...rest,
    });
  }

  get isDead(): boolean {
    return this.#stop.signal.aborted;
  }

  /** From here on it does nothing and hears nothing. */
  kill(): void {
    this.#stop.abort();
  }

  items(): ConversationItem[] {
    return this.conversation.view().items;
  }

  texts(kind: "agent_message" | "user_message" | "thought"): string[] {
    return this.items().flatMap((item) =>
      item.kind === kind ? [item.content.map(({ text }) => text ?? "").join("")] : [],
    );
  }

  /** Resolves when `isSo` of the conversation, looked at after each record. */
  until(isSo: (conversation: Conversation) => boolean, what: string): Promise<void> {
    const { conversation } = this;
    return new Promise((resolve, reject) => {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const check = (): void => {
        if (!isSo(conversation)) return;
        stop();
        deadline.removeEventListener("abort", late);
        resolve();
      };
      const late = (): void => {
        stop();
        const items = JSON.stringify(conversation.view().items.slice(-5));
        reject(new Error(`not in ${DEADLINE_MS} ms: ${what}; ${conversation.state}; ${items.slice(0, 2000)}`));
      };
      const stop = conversation.observe({ folded: check });
      deadline.addEventListener("abort", late, { once: true });
      check();
    });
  }

  untilTurns(count: number): Promise<void> {
    const overCount = (): number =>
      this.items().filter((item) => item.kind === "turn" && (item.state === "idle" || item.state === "ended")).length;
    return this.until(() => overCount() >= count, `${count} turns over`);
  }

  untilAsked(): Promise<void> {
    return this.until(({ questions }) => questions.length > 0, "a question");
  }
}

/** A temporary directory with a scripted agent's places; removed with it. */
export class TestPlace implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "warren-agent-"));
  readonly cwd = join(this.root, "work");
  readonly #keepers: TestKeeper[] = [];
  readonly #servers: TestServer[] = [];

  constructor() {
    mkdirSync(this.cwd);
  }

  get env(): Record<string, string> {
    return { SCRIPTED_AGENT_STATE: join(this.root, "state"), SCRIPTED_AGENT_LOG: join(this.root, "prompts.log") };
  }

  keeper(args: string[] = [], command: string[] = [process.execPath, SCRIPTED]): TestKeeper {
    const keeper = new TestKeeper();
    this.#keepers.push(keeper);
    this.open(keeper, args, command);
    return keeper;
  }

  open(keeper: TestKeeper, args: string[] = [], command: string[] = [process.execPath, SCRIPTED]): void {
    keeper.open([...command, ...args], { cwd: this.cwd, env: this.env });
  }

  server(keeper: TestKeeper, options: Partial<AgentLinkOptions> & { from?: ConversationCheckpoint } = {}): TestServer {
    const server = new TestServer(keeper, { cwd: this.cwd, ...options });
    this.#servers.push(server);
    return server;
  }

  /** An agent with an open session. */
  async agent(args: string[] = []): Promise<{ keeper: TestKeeper; server: TestServer }> {
    const keeper = this.keeper(args);
    const server = this.server(keeper);
    await server.link.start();
    return { keeper, server };
  }

  /** What the agent was asked, in order. */
  prompts(): string[] {
    try {
      const lines = readFileSync(this.env.SCRIPTED_AGENT_LOG ?? "", "utf8")
        .trim()
        .split("\n");
      return lines.map((line) => (JSON.parse(line) as { text: string }).text);
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.kill();
    for (const keeper of this.#keepers) {
      await keeper.close();
      await keeper.terminals.close();
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Without what depends on when it was. */
export const withoutTimes = (items: readonly ConversationItem[]): unknown[] =>
  items.map(({ at: _at, ...item }) => ("ended_at" in item ? { ...item, ended_at: "" } : item));

/** Rejects when it takes too long: a test that hangs does not say why. */
export function withDeadline<T>(promise: Promise<T>, what: string): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`not in ${DEADLINE_MS} ms: ${what}`));
    deadline.addEventListener("abort", late, { once: true });
    promise.then(resolve, reject).finally(() => deadline.removeEventListener("abort", late));
  });
}

export const text = (words: string): { type: string; text: string }[] => [{ type: "text", text: words }];
