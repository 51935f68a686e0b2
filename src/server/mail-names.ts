import type { Client } from "../client/client.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { Participant } from "../protocol/mail-units.ts";

/**
 * The sessions and agents of this server as participants: the session fox has the address fox. The name belongs to the session's id, so nobody else can take
 * it; that it is gone, everybody sees by its process; and its mail waits for the same name, whether that is the session resumed or the next one.
 *
 * One comparison at a time, of what runs with what was registered; what came meanwhile is compared in the next one. A name that was refused is asked for again
 * in each, and in a while: of its owner's end nobody tells, and a session that is over counts as live for a moment.
 */
export interface MailSession {
  id: string;
  name: string;
  /** Of its program. */
  pid: number;
}

export interface MailNamesOptions {
  client: Client;
  /** Live in this home, on whatever server. */
  isLive(unit: string): boolean;
  log: Log;
  clock?: Clock;
}

/** A name that was refused is asked for again. */
const AGAIN_MS = 2_000;

export class MailNames {
  readonly #options: MailNamesOptions;
  /** By the session's id: what the mailbox knows of it. */
  #known: Map<string, { name: string; pid: number }> | undefined;
  /** Sessions, as they were, that have no address under their name. */
  #refused: ReadonlySet<string> = new Set();
  #cancelAgain: () => void = () => {};
  #wanted: readonly MailSession[] = [];
  #working: Promise<void> | undefined;

  constructor(options: MailNamesOptions) {
    this.#options = options;
  }

  /** Resolves when the mailbox knows these, as far as it takes them. */
  reconcile(sessions: readonly MailSession[]): Promise<void> {
    this.#wanted = sessions;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #work(): Promise<void> {
    let wanted: readonly MailSession[];
    do {
      wanted = this.#wanted;
      this.#known ??= knownUnits((await this.#options.client.request("mail.list", {})).participants);
      const refused = new Set<string>();
      for (const session of wanted) if (!(await this.#tell(session))) refused.add(keyOf(session));
      this.#refused = refused;
    } while (wanted !== this.#wanted);
    this.#cancelAgain();
    if (this.#refused.size > 0) this.#askAgainLater();
  }

  #askAgainLater(): void {
    const { clock = systemClock, log } = this.#options;
    const askAgain = async (): Promise<void> => {
      try {
        await this.reconcile(this.#wanted);
      } catch (error) {
        if (isWarrenError(error, "CLOSED")) return; // the mailbox was left
        log.warn("mail_names_not_told", { error: messageOf(error) });
        this.#askAgainLater();
      }
    };
    this.#cancelAgain = clock.timer(AGAIN_MS, () => void askAgain());
  }

  /** Resolves with whether the mailbox knows it by its name. */
  async #tell(session: MailSession): Promise<boolean> {
    const { id, name, pid } = session;
    const known = this.#known?.get(id);
    if (known?.name === name && known.pid === pid) return true;
    try {
      if (known && known.name !== name) await this.#rename(known.name, name);
      await this.#register({ id, name, pid });
      this.#known?.set(id, { name, pid });
      return true;
    } catch (error) {
      // It is another's: by a key, or by a process that lives. The session has no such address until that one gives it up, or it has another name.
      if (!isWarrenError(error, "NAME_OWNED") && !isWarrenError(error, "NAME_TAKEN")) throw error;
      if (!this.#refused.has(keyOf(session)))
        this.#options.log.warn("mail_name_taken", { name, error: messageOf(error) });
      return false;
    }
  }

  /** What is unread goes along, and mail to the old name follows. The new name may be one that a session had which is over. */
  async #rename(old: string, name: string): Promise<void> {
    const { client } = this.#options;
    try {
      await client.request("mail.rename", { as: old, name });
    } catch (error) {
      if (!isWarrenError(error, "NAME_OWNED") || !(await this.#freeOfEnded(name))) throw error;
      await client.request("mail.rename", { as: old, name });
    }
  }

  async #register({ id, name, pid }: MailSession): Promise<void> {
    const { client } = this.#options;
    const start = readProcess(pid)?.startTicks;
    const payload = { name, unit: id, pid, ...(start === undefined ? {} : { pid_start: String(start) }) };
    try {
      await client.request("mail.register", payload);
    } catch (error) {
      if (!isWarrenError(error, "NAME_OWNED") || !(await this.#freeOfEnded(name))) throw error;
      await client.request("mail.register", payload);
    }
  }

  /** A session that is over gives its name up, for the next one that is called so. */
  async #freeOfEnded(name: string): Promise<boolean> {
    const { client, isLive } = this.#options;
    const { participants } = await client.request("mail.list", {});
    const owner = participants.find((one) => one.name === name);
    if (owner?.unit === undefined || isLive(owner.unit)) return false;
    await client.request("mail.unregister", { name });
    return true;
  }
}

const keyOf = ({ id, name, pid }: MailSession): string => `${id} ${pid} ${name}`;

/** A process that is not the one that was registered is told of again. */
function knownUnits(participants: readonly Participant[]): Map<string, { name: string; pid: number }> {
  return new Map(
    participants.flatMap(({ unit, name, pid, presence }) =>
      unit === undefined ? [] : [[unit, { name, pid: presence === "gone" ? 0 : (pid ?? 0) }] as const],
    ),
  );
}
