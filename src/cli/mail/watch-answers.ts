import type { MailMessage } from "../../protocol/mail-units.ts";
import type { Context } from "../context.ts";
import { usageError } from "../usage-error.ts";
import type { Speaker } from "./open-mail.ts";
import { worriesOf } from "./sent-text.ts";

/** What a person types beside the traffic: `@owl text` to owl, any other line to whoever it is that the prompt names. */
export class Answers {
  readonly #context: Context;
  readonly #me: Speaker;
  #last: MailMessage | undefined;

  constructor(context: Context, me: Speaker) {
    this.#context = context;
    this.#me = me;
  }

  get name(): string {
    return this.#me.who.name;
  }

  /** The last message of somebody else. */
  get target(): MailMessage | undefined {
    return this.#last;
  }

  heard(message: MailMessage): void {
    if (message.from !== this.name && message.kind !== "notice") this.#last = message;
  }

  /** To `target`, unless it names somebody; answers of whom a reply may be long in coming. @throws BAD_USAGE when it goes to nobody, and what the mailbox refuses. */
  async send(line: string, target: MailMessage | undefined): Promise<string[]> {
    const text = line.trim();
    if (text === "") return [];
    const { client, who } = this.#me;
    const [, name, rest] = /^@([A-Za-z0-9_-]+(?:@[A-Za-z0-9_.-]+)?):?\s+(.+)$/s.exec(text) ?? [];
    if (name === undefined && !target) throw usageError("To whom? Write @NAME and the text.");
    if (name === undefined && target!.to.split(",").includes(who.name)) {
      await client.request("mail.reply", { as: who.name, id: target!.id, from: target!.from, body: text });
      return [];
    }
    const to = name === undefined ? target!.from : (await this.#isGroup(name)) ? `@${name}` : name;
    const { recipients } = await client.request("mail.send", { as: who.name, to: [to], body: rest ?? text });
    return worriesOf(this.#context, recipients);
  }

  /** A participant's name comes before a group's. */
  async #isGroup(name: string): Promise<boolean> {
    if (name === "all") return true;
    const { participants } = await this.#me.client.request("mail.list", {});
    return !participants.some((one) => one.name === name) && participants.some(({ groups }) => groups.includes(name));
  }
}
