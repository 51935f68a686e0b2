import { createInterface } from "node:readline";
import type { StreamEvent } from "../../protocol/envelope.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { messageLines } from "./message-text.ts";
import { openMail, type Speaker, speaker } from "./open-mail.ts";
import { tellWorries } from "./sent-text.ts";
import { escapedLine } from "./untrusted-text.ts";
import { WHO_OPTIONS } from "./who.ts";

/** Events are answered by one look for so many messages at a time. */
const PAGE = 100;

export const watch = defineCommand({
  usage: ["mail watch [--with NAME] [--json]"],
  details: `Shows every message of this machine as it is sent, and takes none of them. What you type answers: a line goes to whoever wrote last, \`@owl text\` to owl (or to a
group). Ctrl-C ends the view alone.`,
  examples: [
    { command: "warren mail watch", does: "everything, live" },
    { command: "warren mail watch --with owl --json", does: "to and from owl, a JSON object a line" },
  ],
  options: {
    with: { type: "string", value: "NAME", description: "only to and from this participant" },
    json: { type: "boolean", description: "print a JSON object a line" },
    ...WHO_OPTIONS,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const interrupted = context.interrupted();
    const me = await speaker(context, values);
    const traffic = new Traffic(context, me, { name: values.with, json: values.json === true });
    const lines = process.stdin.isTTY ? createInterface({ input: process.stdin, terminal: false }) : undefined;
    lines?.on("line", (line) => traffic.say(line));
    try {
      await traffic.follow(interrupted);
    } finally {
      lines?.close();
    }
    return EXIT.ok;
  },
});

class Traffic {
  readonly #context: Context;
  readonly #me: Speaker;
  readonly #only: { name: string | undefined; json: boolean };
  /** Up to which message it has shown all. */
  #shownSeq = 0;
  #lastOfOthers: MailMessage | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(context: Context, me: Speaker, only: { name: string | undefined; json: boolean }) {
    this.#context = context;
    this.#me = me;
    this.#only = only;
  }

  async follow(interrupted: AbortSignal): Promise<void> {
    const { log_head } = (await this.#me.client.request("mail.status", {})).status;
    this.#shownSeq = log_head;
    this.#hint();
    const client = openMail(this.#context);
    for await (const item of client.subscribe({ streams: ["mail"] }, interrupted)) {
      if (item.kind === "event" && item.event.event === "leader_changed") this.#tellLeader(item.event);
      this.#looking = this.#looking.then(() => this.#showNew()).catch((error) => this.#tell(error)); // one look at a time
    }
    await this.#looking;
  }

  /** `@owl text`; without a name, to whoever wrote last. */
  say(line: string): void {
    if (line.trim() === "") return;
    this.#send(line.trim()).catch((error) => this.#tell(error));
  }

  async #send(line: string): Promise<void> {
    const { client, who } = this.#me;
    const [, name, text] = /^@([A-Za-z0-9_-]+):?\s+(.+)$/s.exec(line) ?? [];
    const last = this.#lastOfOthers;
    if (name !== undefined) {
      const to = [(await this.#isGroup(name)) ? `@${name}` : name];
      tellWorries(this.#context, (await client.request("mail.send", { as: who.name, to, body: text! })).recipients);
    } else if (!last) this.#context.output.errorLine("! to whom? write @NAME and the text");
    else if (last.to === who.name) {
      await client.request("mail.reply", { as: who.name, id: last.id, from: last.from, body: line });
    } else {
      const { recipients } = await client.request("mail.send", { as: who.name, to: [last.from], body: line });
      tellWorries(this.#context, recipients);
    }
  }

  async #isGroup(name: string): Promise<boolean> {
    if (name === "all") return true;
    const { participants } = await this.#me.client.request("mail.list", {});
    return !participants.some((one) => one.name === name) && participants.some(({ groups }) => groups.includes(name));
  }

  /** What came since the last look, the oldest first. */
  async #showNew(): Promise<void> {
    const found: MailMessage[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await this.#me.client.request("mail.history", {
        as: this.#me.who.name,
        limit: PAGE,
        ...(this.#only.name === undefined ? {} : { with: this.#only.name }),
        ...(before === undefined ? {} : { before }),
      });
      const fresh = page.messages.map(({ message }) => message).filter(({ seq }) => seq > this.#shownSeq);
      found.push(...fresh);
      if (!page.has_more || fresh.length < page.messages.length) break;
      before = fresh.at(-1)?.seq;
    }
    for (const message of found.toReversed()) this.#show(message);
  }

  #show(message: MailMessage): void {
    this.#shownSeq = Math.max(this.#shownSeq, message.seq);
    if (message.from !== this.#me.who.name) this.#lastOfOthers = message;
    const { output } = this.#context;
    if (this.#only.json) output.line(JSON.stringify(message));
    else for (const line of messageLines(this.#context, message)) output.line(line);
  }

  #tellLeader({ data }: StreamEvent): void {
    const { output } = this.#context;
    if (this.#only.json) return;
    const { pid, epoch, reason } = data as { pid?: number; epoch?: number; reason?: string };
    const why = typeof reason === "string" ? `: ${escapedLine(reason)}` : "";
    output.line(output.style.dim(`process ${pid ?? "?"} leads now, epoch ${epoch ?? "?"}${why}`));
  }

  #hint(): void {
    const { output } = this.#context;
    if (!output.isTerminal || this.#only.json) return;
    output.line(
      output.style.dim(
        `You are ${this.#me.who.name}. Type an answer to the last message, or @NAME and a text. Ctrl-C ends this view.`,
      ),
    );
  }

  #tell(error: unknown): void {
    this.#context.output.errorLine(`! ${messageOf(error)}`);
  }
}
