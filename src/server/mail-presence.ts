import type { Client } from "../client/client.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";

/** Which of a server's agents work and which have nothing to do, by their ids: told to the leader when it has changed, one request at a time. */
export type AgentStates = Record<string, "idle" | "busy">;

/** What a server says when it joins, and again after each change. */
export const joining = (states: AgentStates, name: string): PayloadOf<"mail.join"> => ({
  kind: "server",
  pid: process.pid,
  may_lead: true,
  name,
  states,
});

export class MailPresence {
  readonly #client: Client;
  readonly #name: string;
  readonly #log: Log;
  #states: AgentStates = {};
  #told = "{}";
  #isTelling = false;

  /** `name`: the server's. */
  constructor({ client, name, log }: { client: Client; name: string; log: Log }) {
    this.#client = client;
    this.#name = name;
    this.#log = log;
  }

  tell(states: AgentStates): void {
    this.#states = states;
    if (!this.#isTelling) void this.#tell();
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    try {
      for (let now = JSON.stringify(this.#states); now !== this.#told; now = JSON.stringify(this.#states)) {
        await this.#client.request("mail.join", joining(this.#states, this.#name));
        this.#told = now;
      }
    } catch (error) {
      this.#log.warn("mail_presence_not_told", { error: messageOf(error) }); // it is told when the next connection is made
    } finally {
      this.#isTelling = false;
    }
  }
}
