import { createInterface, type Interface } from "node:readline";
import { lookForSession } from "../../local/find-session.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import { EXIT, exitStatusOf } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import { configuredDetachKey } from "../attach/configured-detach-key.ts";
import { type DetachKey, detachKeyText, textOfKey } from "../attach/detach-key.ts";
import { reload } from "../commands/reload.ts";
import type { Context } from "../context.ts";
import { ConversationPrinter } from "./conversation-printer.ts";
import { type ConversationNews, followConversation } from "./follow-conversation.ts";
import { type SessionHandle, sessionNamed, sessionTitle } from "./session-client.ts";
import { userLabel } from "./user-label.ts";

/**
 * A conversation in this terminal, line by line: what was said last, what comes, and a line to say something. No screen of its own: what is printed stays
 * in the scrollback. Through pipes it reads prompts, a line each, and goes when they have been answered.
 */
const ITEMS_BEFORE = 30;
const PROMPT = "> ";
/** Between two turns; a prompt that a cancel has dropped never gets one. */
const QUEUED_MS = 2_000;
const LOOK_MS = 5;
const COMMANDS_TEXT = "/approve [OPTION]  /deny  /cancel  /mode MODE  /login [METHOD]  /reload  /detach";
export async function attachAgent(context: Context, id: string, { isViewer }: { isViewer: boolean }): Promise<number> {
  const handle = await sessionNamed(context, id, "attach");
  const { session } = await handle.client.request("session.get", { session: id });
  const detach = await configuredDetachKey(context.places.home);
  const view = new AgentAttachment(context, handle, session, { isViewer, detach });
  return view.run();
}

class AgentAttachment {
  readonly #context: Context;
  readonly #handle: SessionHandle;
  readonly #session: Session;
  readonly #isViewer: boolean;
  readonly #detach: DetachKey;
  readonly #printer: ConversationPrinter;
  readonly #left = new AbortController();
  readonly #isTerminal: boolean;
  #input: Interface | undefined;
  /** Behind the last line end. */
  #unfinished = "";
  /** Up to where the conversation was shown. */
  #seq = 0;
  /** By request: what was said from here. */
  readonly #prompts = new Set<string>();
  /** Prompts that are on their way. */
  #saying: Promise<unknown> = Promise.resolve();

  constructor(
    context: Context,
    handle: SessionHandle,
    session: Session,
    { isViewer, detach }: { isViewer: boolean; detach: DetachKey },
  ) {
    this.#context = context;
    this.#handle = handle;
    this.#session = session;
    this.#isViewer = isViewer;
    this.#detach = detach;
    this.#isTerminal = context.output.isTerminal && process.stdin.isTTY === true;
    this.#printer = new ConversationPrinter({
      style: context.output.style,
      thoughts: true,
      write: (text) => this.#print(text),
    });
  }

  /** Its program's own status when that has ended; 0 when it was left. */
  async run(): Promise<number> {
    const { output } = this.#context;
    const title = sessionTitle(this.#context, this.#session);
    if (this.#isTerminal)
      output.line(
        output.style.dim(
          `${this.#handle.name}: ${this.#isViewer ? "ctrl-c leaves" : `ctrl-d or ${detachKeyText(this.#detach)} leaves; /help for the rest`}`,
        ),
      );
    if (this.#isViewer) this.#context.interrupted().addEventListener("abort", () => this.#left.abort(), { once: true });
    else this.#readInput();
    try {
      for await (const news of followConversation(this.#handle, this.#left.signal)) this.#take(news);
    } finally {
      this.#printer.flush();
      this.#input?.close();
    }
    if (this.#left.signal.aborted) {
      if (this.#isTerminal) output.line(`[detached from ${title}: it goes on]`);
      return EXIT.ok;
    }
    return this.#sayEnd(title);
  }

  #take(news: ConversationNews): void {
    if (news.kind === "snapshot") {
      this.#seq = news.snapshot.seq;
      this.#printer.snapshot(news.snapshot, ITEMS_BEFORE);
      if (news.snapshot.state !== "working") this.#printer.flush();
      return;
    }
    this.#seq = news.event.seq;
    this.#printer.event(news.event);
    if (news.event.type === "state" && news.event.state !== "working") this.#printer.flush();
  }

  #readInput(): void {
    const { stdin, stdout } = process;
    const input = createInterface({ input: stdin, output: this.#isTerminal ? stdout : undefined, prompt: PROMPT });
    this.#input = input;
    input.on("line", (line) => {
      if (this.#isTerminal && !line.startsWith("/") && line.length < stdout.columns - PROMPT.length)
        stdout.write("\x1b[1A\x1b[2K"); // it comes again as part of the conversation, for all to see
      this.#saying = this.#saying.then(() => this.#onLine(line.trim()));
      if (this.#isTerminal) input.prompt();
    });
    input.on("SIGINT", () => void this.#tell(() => this.#cancel()));
    input.on("close", () => void this.#onInputEnd());
    if (!this.#isTerminal) return;
    const { first, second } = this.#detach;
    let before = "";
    stdin.on("keypress", (_: string, { sequence = "" }: { sequence?: string }) => {
      const isPressed = second
        ? before === textOfKey(first) && sequence === textOfKey(second)
        : sequence === textOfKey(first);
      if (isPressed) this.#left.abort();
      before = sequence;
    });
    input.prompt();
  }

  /** In a terminal ctrl-d; in a pipe everything has been said, and what was said is to be answered. */
  async #onInputEnd(): Promise<void> {
    if (this.#isTerminal) return this.#left.abort();
    await this.#saying;
    await this.#allAnswered().catch(() => {}); // it has ended, or nobody can say: then there is nothing to wait for
    this.#left.abort();
  }

  /** Every prompt has had its turn, and what came of it was shown. Between two turns an agent is idle for a moment. */
  async #allAnswered(): Promise<void> {
    const { client, id } = this.#handle;
    const conditions = [{ kind: "idle" as const }, { kind: "exit" as const }];
    const untilMs = performance.now() + QUEUED_MS;
    for (;;) {
      await client.request("session.wait", { session: id, conditions });
      const { conversation } = await client.request("session.conversation", { session: id });
      const begun = new Set(conversation.items.map((item) => ("request_id" in item ? item.request_id : undefined)));
      const areWaiting = [...this.#prompts].some((prompt) => !begun.has(prompt)) && performance.now() < untilMs;
      if (conversation.state !== "working" && !areWaiting) return this.#shownUpTo(conversation.seq);
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
  }

  async #shownUpTo(seq: number): Promise<void> {
    while (this.#seq < seq && !this.#left.signal.aborted) await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }

  async #onLine(line: string): Promise<void> {
    if (line === "") return;
    const [word = "", ...rest] = line.split(/\s+/);
    const argument = rest.join(" ");
    const command = line.startsWith("/") ? this.#commands[word] : undefined;
    await this.#tell(() => (command ? command(argument) : this.#say(line)));
  }

  readonly #commands: Record<string, (argument: string) => unknown> = {
    "/approve": (choice) => this.#answer(choice || "allow"),
    "/always": () => this.#answer("always"),
    "/deny": () => this.#answer("deny"),
    "/cancel": () => this.#cancel(),
    "/mode": (mode) => this.#handle.client.request("session.mode", { session: this.#handle.id, mode }),
    "/login": (method) =>
      this.#handle.client.request("session.login", {
        session: this.#handle.id,
        ...(method === "" ? {} : { method }),
      }),
    "/reload": () => this.#reload(),
    "/detach": () => this.#left.abort(),
    "/help": () => this.#print(`${COMMANDS_TEXT}\n`),
  };

  async #say(text: string): Promise<void> {
    const { request_id } = await this.#handle.client.request("session.prompt", {
      session: this.#handle.id,
      text,
      by: userLabel(this.#context),
    });
    this.#prompts.add(request_id);
  }

  #answer(choice: string): Promise<unknown> {
    return this.#handle.client.request("session.answer", {
      session: this.#handle.id,
      choice,
      by: userLabel(this.#context),
    });
  }

  async #cancel(): Promise<void> {
    const { cancelled } = await this.#handle.client.request("session.cancel", { session: this.#handle.id });
    this.#print(cancelled ? "Stopping…\n" : "Nothing to cancel; ctrl-d leaves.\n");
  }

  /** Of the server that has it. */
  async #reload(): Promise<void> {
    const { machine } = this.#context;
    if (machine) {
      const { remoteNotPossible } = await import("../on/possible.ts");
      const typed = { name: "reload", args: [], machine: machine.name };
      throw remoteNotPossible("/reload", { why: "replaces a process of this machine by this build" }, typed);
    }
    const found = lookForSession(this.#context.places, this.#handle.id);
    await reload.run(this.#context, { values: {}, operands: found ? [found.entry.name] : [] });
    if (this.#isTerminal) this.#input?.prompt(true);
  }

  /** What goes wrong is said, and the conversation goes on. */
  async #tell(act: () => unknown): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (isWarrenError(error, "CLOSED")) return;
      this.#print(`${this.#context.output.style.tone("bad", messageOf(error))}\n`);
    }
  }

  /** Whole lines, above the line that is being typed. */
  #print(text: string): void {
    if (!this.#isTerminal || !this.#input) {
      void this.#context.output.bytes("stdout", text);
      return;
    }
    const lines = `${this.#unfinished}${text}`.split("\n");
    this.#unfinished = lines.pop() ?? "";
    if (lines.length === 0) return;
    process.stdout.write(`\r\x1b[J${lines.join("\n")}\n`);
    this.#input.prompt(true);
  }

  /** The conversation is over a moment before its program's end is written down. */
  async #sayEnd(title: string): Promise<number> {
    const conditions = [{ kind: "exit" as const }];
    const { session } = await this.#context.client().request("session.wait", { session: this.#handle.id, conditions });
    this.#context.output.line(`[${title} has ended]`);
    return session.outcome ? exitStatusOf(session.outcome) : EXIT.ok;
  }
}
