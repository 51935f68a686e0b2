import * as errors from "./errors.ts";
import type { KeeperPort } from "./keeper-port.ts";
import type { SessionRecord, SessionRecords } from "./record.ts";
import { isCommand, sessionIdOf } from "./session-ids.ts";

/**
 * The sessions of the home that run nowhere: ended, saved, or lost with a keeper. The keeper says what runs, since a record without an end may be another
 * server's.
 */
export class SavedSessions {
  readonly #records: SessionRecords;
  readonly #keeper: KeeperPort;

  constructor(records: SessionRecords, keeper: KeeperPort) {
    this.#records = records;
    this.#keeper = keeper;
  }

  /** The newest first. */
  async all(): Promise<SessionRecord[]> {
    return (await this.#sorted()).saved;
  }

  /** Of these ids those that run nowhere: first those that nobody knows, then who was active longest ago. */
  async endedOf(ids: readonly string[]): Promise<string[]> {
    const { saved, running } = await this.#sorted();
    const asked = new Set(ids);
    const known = new Set([...saved, ...running].map(({ id }) => id));
    const oldestFirst = saved.map(({ id }) => id).reverse();
    return [...ids.filter((id) => !known.has(id)), ...oldestFirst.filter((id) => asked.has(id))];
  }

  /**
   * The newest of that name, or the one of that id. `liveNames`: for what may have been meant. `server`: who is asked.
   * @throws SESSION_NOT_FOUND; SESSION_MOVED when another server has it, and it is live
   */
  async named(
    reference: string,
    { liveNames, server }: { liveNames: readonly string[]; server: string },
  ): Promise<SessionRecord> {
    const { saved, running } = await this.#sorted();
    const isMeant = ({ id, name }: SessionRecord): boolean => id === reference || name === reference;
    const elsewhere = running.find((record) => isMeant(record) && record.server !== server);
    if (elsewhere) throw errors.sessionMoved(elsewhere.name, elsewhere.server);
    const found = saved.find(isMeant);
    if (found) return found;
    throw errors.sessionNotFound(reference, [...liveNames, ...saved.map(({ name }) => name)]);
  }

  async #sorted(): Promise<{ saved: SessionRecord[]; running: SessionRecord[] }> {
    const { channels } = await this.#keeper.call({ call: "channels" });
    const ids = new Set(channels.filter(({ id }) => !isCommand(id)).map(({ id }) => sessionIdOf(id)));
    const saved: SessionRecord[] = [];
    const running: SessionRecord[] = [];
    for (const record of this.#records.readAll()) (ids.has(record.id) ? running : saved).push(record);
    return { saved, running };
  }
}
