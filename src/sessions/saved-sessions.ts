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
    const { channels } = await this.#keeper.call({ call: "channels" });
    const running = new Set(channels.filter(({ id }) => !isCommand(id)).map(({ id }) => sessionIdOf(id)));
    return this.#records.readAll().filter(({ id }) => !running.has(id));
  }

  /** The newest of that name, or the one of that id. `liveNames`: for what may have been meant. @throws SESSION_NOT_FOUND */
  async named(reference: string, liveNames: readonly string[]): Promise<SessionRecord> {
    const records = await this.all();
    const found = records.find(({ id, name }) => id === reference || name === reference);
    if (found) return found;
    throw errors.sessionNotFound(reference, [...liveNames, ...records.map(({ name }) => name)]);
  }
}
