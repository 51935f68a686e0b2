import type { Client } from "../client/client.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { pause } from "../platform/pause.ts";
import { Backoff } from "../protocol/backoff.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { MailMessage } from "../protocol/mail-units.ts";
import type { MailBells } from "./mail-bells.ts";
import { mailPrompt, mailRequestId } from "./mail-prompt.ts";

/**
 * Wakes one agent that Warren holds: mail that comes while it is idle becomes its next prompt. One message at a time, in the order of the mailbox.
 *
 * `seen` when the prompt was taken, `handled` when its turn is over. A prompt is named by its message, so that a message which is offered again, since the server
 * was killed in between, is no second prompt.
 *
 * Invariants
 * 1. Never more than one prompt of mail in hand, and none while the agent has anything else to do.
 * 2. What was not taken goes back to the mailbox: by `nak`, or by the end of the server's connection.
 */
export interface MailedAgent {
  /** By now; a rename changes it. */
  readonly name: string;
  /** Open, idle, nothing queued. */
  readonly isFree: boolean;
  /** Its conversation and its queue are known here. */
  readonly isSteered: boolean;
  prompt(text: string, requestId: string, by: string): Promise<void>;
  /** Of a prompt: undefined when it was never sent. */
  isOver(requestId: string): boolean | undefined;
  /** It is to have its turn. A prompt that was taken, has had none and waits for none was cancelled. */
  isWaiting(requestId: string): boolean;
  /** Something has changed; the answer ends that. */
  watch(listener: () => void): () => void;
}

export interface MailAgentOptions {
  agent: MailedAgent;
  /** Of the server: it may speak for the agent. */
  client: Client;
  /** Rings when there may be mail for a name. */
  bells: Pick<MailBells, "listen">;
  clock: Clock;
  log: Log;
  /** The agent is gone, or another server's. */
  signal: AbortSignal;
}

/** Without a bell it looks after so long. */
const LOOK_MS = 45_000;
/** From the offer to the taking of the prompt. */
const LEASE_MS = 60_000;
/** What an agent cannot take now, it is not offered again at once. */
const REFUSED_DELAY_MS = 5_000;
const SEEN_MAX = 100;

/** Resolves when `signal` is aborted. */
export async function deliverMail(options: MailAgentOptions): Promise<void> {
  const { agent, client, clock, log, signal } = options;
  const backoff = new Backoff({ firstMs: 500, maxMs: 30_000 });
  using bell = new Bell(options);
  let hasSettled = false;
  while (!signal.aborted) {
    try {
      if (!hasSettled) await settleSeen(options);
      hasSettled = true;
      await until(options, () => agent.isFree);
      bell.listen(agent.name);
      const look = { as: agent.name, peek: true, limit: 1 };
      const { messages: waiting } = await client.request("mail.fetch", look, { signal });
      if (waiting.length === 0) await bell.rung();
      else if (agent.isFree) await deliverOne(options);
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      log.warn("mail_not_delivered", { name: agent.name, error: messageOf(error) });
      await pause(clock, backoff.nextMs(), signal).catch(() => {}); // ended: the loop sees it
    }
  }
}

async function deliverOne(options: MailAgentOptions): Promise<void> {
  const { agent, client, signal } = options;
  const as = agent.name;
  const { messages } = await client.request("mail.fetch", { as, limit: 1, lease_ms: LEASE_MS }, { signal });
  const [message] = messages;
  if (!message) return;
  const requestId = mailRequestId(message);
  try {
    await agent.prompt(mailPrompt(message), requestId, message.from);
  } catch (error) {
    const reason = isWarrenError(error) ? error.message : "the agent did not take it";
    const delay = signal.aborted ? {} : { delay_ms: REFUSED_DELAY_MS }; // it has gone: whoever has it next may take it now
    await client.request("mail.nak", { as, ids: [message.id], from: message.from, reason, ...delay });
    return;
  }
  await client.request("mail.ack", { as, ids: [message.id], from: message.from, state: "seen" }, { signal });
  await settle(options, message);
}

/** Waits for the end of its turn; where somebody has cancelled what waited, it goes back. */
async function settle(options: MailAgentOptions, message: MailMessage): Promise<void> {
  const { agent, client, signal } = options;
  const requestId = mailRequestId(message);
  const isCancelled = (): boolean => agent.isOver(requestId) === undefined && !agent.isWaiting(requestId);
  await until(options, () => agent.isOver(requestId) === true || isCancelled());
  const named = { as: agent.name, ids: [message.id], from: message.from };
  if (agent.isOver(requestId)) await client.request("mail.ack", named, { signal });
  else {
    const why = { reason: "it was cancelled before its turn", delay_ms: REFUSED_DELAY_MS };
    await client.request("mail.nak", { ...named, ...why }, { signal });
  }
}

/** What a former server saw taken, and not to its end. */
async function settleSeen(options: MailAgentOptions): Promise<void> {
  const { agent, client, signal } = options;
  await until(options, () => agent.isSteered); // before that nobody knows what waits
  const asked = { with: agent.name, state: "seen", limit: SEEN_MAX } as const;
  const { messages } = await client.request("mail.history", asked, { signal });
  const isOurs = ({ message }: { message: MailMessage }): boolean => {
    const requestId = mailRequestId(message);
    return agent.isOver(requestId) !== undefined || agent.isWaiting(requestId);
  };
  for (const { message } of messages.filter(isOurs).toReversed()) await settle(options, message);
}

/** Resolves when it holds. Rejects when `signal` is aborted. */
function until({ agent, signal }: MailAgentOptions, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (end: () => void): void => {
      unwatch();
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const onAbort = (): void => done(() => reject(signal.reason));
    const unwatch = agent.watch(() => {
      if (holds()) done(resolve);
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (holds()) done(resolve);
  });
}

/** An agent's own, under the name that it has. Rings for what has come since it was listened for, for another name, and now and then. */
class Bell implements Disposable {
  readonly #options: MailAgentOptions;
  #name: string | undefined;
  #unlisten = (): void => {};
  #hasRung = false;
  #wake = (): void => {};

  constructor(options: MailAgentOptions) {
    this.#options = options;
  }

  /** What rang before is over: whoever calls it looks after it. */
  listen(name: string): void {
    this.#hasRung = false;
    if (this.#name === name) return;
    this.#unlisten();
    this.#name = name;
    this.#unlisten = this.#options.bells.listen(name, () => {
      this.#hasRung = true;
      this.#wake();
    });
  }

  /** Rejects when the agent is gone. */
  async rung(): Promise<void> {
    const { agent, clock, signal } = this.#options;
    if (this.#hasRung) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const give = (): void => reject(signal.reason);
    const cancel = clock.timer(LOOK_MS, resolve);
    const unwatch = agent.watch(() => {
      if (agent.name !== this.#name) resolve();
    });
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      this.#wake = () => {};
      cancel();
      unwatch();
      signal.removeEventListener("abort", give);
    }
  }

  [Symbol.dispose](): void {
    this.#unlisten();
  }
}
