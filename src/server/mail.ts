import type { Client } from "../client/client.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import { deliverMail, type MailedAgent } from "./mail-agent.ts";
import { MailBells } from "./mail-bells.ts";
import { MailNames, type MailSession } from "./mail-names.ts";
import { type AgentStates, MailPresence } from "./mail-presence.ts";

/**
 * The server's part in the mailbox: its sessions and agents are participants, and its agents are woken. It is a member while it has live sessions in a home that
 * uses mail; without either it holds no connection, and starts no leader.
 *
 * Whatever becomes of the mailbox, sessions and jobs do not notice: every failure here is logged and tried again.
 */
export interface MailSessions {
  /** Those that are live on this server. */
  programs(): readonly MailSession[];
  /** Of those, the agents. */
  mailedAgent(id: string): MailedAgent | undefined;
  /** One has come, gone, or another name or state; the answer ends that. */
  watch(listener: () => void): () => void;
}

export interface ServerMailOptions {
  /** The server's. */
  name: string;
  sessions: MailSessions;
  /**
   * Is a member, so that somebody leads, until that is closed. Its client may give names to sessions, and speak for them. `states` is asked on each new
   * connection.
   */
  join(states: () => AgentStates): Member;
  isLive(unit: string): boolean;
  clock: Clock;
  log: Log;
}

/** After a failure the names are told again. */
const AGAIN_MS = 2_000;
/** Who asks for the list of sessions does not wait longer for what is unread. */
const UNREAD_TIMEOUT_MS = 200;

interface Member {
  readonly client: Client;
  close(): void;
}

interface Membership {
  member: Member;
  names: MailNames;
  presence: MailPresence;
  bells: MailBells;
  /** Each is delivered to until it is aborted. By id and process: one that was resumed is another. */
  agents: Map<string, AbortController>;
}

export class ServerMail {
  readonly #options: ServerMailOptions;
  readonly #unwatch: () => void;
  #isUsed = false;
  #isClosed = false;
  #membership: Membership | undefined;
  #told = "";
  #cancelAgain: () => void = () => {};

  constructor(options: ServerMailOptions) {
    this.#options = options;
    this.#unwatch = options.sessions.watch(() => this.#reconcile());
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** This home uses mail from now on. */
  begin(): void {
    this.#isUsed = true;
    this.#reconcile();
  }

  /** What the sessions have not read, by name; nothing of a mailbox that is not used, or does not answer at once. */
  async unread(): Promise<ReadonlyMap<string, number>> {
    const { member } = this.#membership ?? {};
    if (!member) return NOTHING;
    try {
      const { participants } = await member.client.request("mail.list", {}, { timeoutMs: UNREAD_TIMEOUT_MS });
      return new Map(participants.map(({ name, unread }) => [name, unread]));
    } catch {
      return NOTHING;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#cancelAgain();
    this.#leave();
  }

  #reconcile(): void {
    const { sessions } = this.#options;
    const programs = this.#isClosed || !this.#isUsed ? [] : sessions.programs();
    if (programs.length === 0) return this.#leave();
    this.#membership ??= this.#enter();
    const membership = this.#membership;
    membership.presence.tell(this.#states());
    const now = JSON.stringify(programs);
    if (now === this.#told) return; // it was only a state, of which there are many
    this.#told = now;
    membership.names.reconcile(programs).then(
      () => this.#wake(membership),
      (error) => this.#onFailure(error),
    );
  }

  #enter(): Membership {
    const { join, isLive, name, clock, log } = this.#options;
    const member = join(() => this.#states());
    const { client } = member;
    return {
      member,
      names: new MailNames({ client, isLive, log }),
      presence: new MailPresence({ client, name, log }),
      bells: new MailBells({ client, clock, log }),
      agents: new Map(),
    };
  }

  /** Of the agents that are live here. */
  #states(): AgentStates {
    const { sessions } = this.#options;
    return Object.fromEntries(
      sessions.programs().flatMap(({ id }) => {
        const agent = sessions.mailedAgent(id);
        return agent ? [[id, agent.isFree ? "idle" : "busy"]] : [];
      }),
    );
  }

  #leave(): void {
    const membership = this.#membership;
    this.#membership = undefined;
    this.#told = "";
    if (!membership) return;
    for (const key of membership.agents.keys()) sleep(membership, key);
    membership.bells.close();
    membership.member.close();
  }

  /** Every agent that is live here is delivered to, and no other. */
  #wake(membership: Membership): void {
    const { sessions, clock, log } = this.#options;
    const { client } = membership.member;
    if (this.#membership !== membership) return;
    const live = new Map(sessions.programs().map(({ id, pid }) => [`${id} ${pid}`, id]));
    for (const key of [...membership.agents.keys()].filter((known) => !live.has(known))) sleep(membership, key);
    for (const [key, id] of live) {
      const agent = membership.agents.has(key) ? undefined : sessions.mailedAgent(id);
      if (!agent) continue;
      const over = new AbortController();
      membership.agents.set(key, over);
      void deliverMail({ agent, client, bells: membership.bells, clock, log, signal: over.signal });
    }
  }

  #onFailure(error: unknown): void {
    const { clock, log } = this.#options;
    if (this.#isClosed || !this.#membership) return;
    log.warn("mail_names_not_told", { error: messageOf(error) });
    this.#told = "";
    this.#cancelAgain();
    this.#cancelAgain = clock.timer(AGAIN_MS, () => this.#reconcile());
  }
}

const NOTHING: ReadonlyMap<string, number> = new Map();

function sleep({ agents }: Membership, key: string): void {
  agents.get(key)?.abort();
  agents.delete(key);
}
