import { isWarrenError, messageOf } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { Session } from "../protocol/units.ts";
import * as errors from "./errors.ts";
import type { LiveSession } from "./live-session.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { SessionRecords } from "./record.ts";
import type { SessionFinder } from "./session-finder.ts";
import { viewSession } from "./views.ts";

/**
 * Sessions go from server to server: the giving side and the taking side. Programs do not notice; their clients come back at the other server.
 *
 * Who waited too long for the other side takes a session back, and the other side may take it at that very moment. Both take it from the lease under which
 * it was given away, so that the keeper lets one of them have it.
 */
export interface SessionMovesOptions {
  live: LiveSessions;
  records: SessionRecords;
  found: SessionFinder;
  /** The server's name. */
  server: string;
  /** Who follows it is to come back: to another server, or here after a move that failed. */
  onMoved?: (id: string) => void;
  askServer: (server: string, type: "session.take", payload: { id: string; epoch: number }) => Promise<unknown>;
}

export class SessionMoves {
  readonly #options: SessionMovesOptions;

  constructor(options: SessionMovesOptions) {
    this.#options = options;
  }

  /** Gives a live one to another server. @throws MOVE_FAILED, and then it is here as before */
  async move({ session, to }: PayloadOf<"session.move">): Promise<{ session: Session }> {
    const { found, server } = this.#options;
    const live = await found.mustLive(session);
    const { record } = live;
    if (to === server) return { session: viewSession(record, live.live()) };
    await found.whileLeaving({ record, to, gone: this.#handOver(live, to) });
    return { session: viewSession({ ...record, server: to }, undefined) };
  }

  /** The other side. @throws SESSION_NOT_FOUND; STALE_EPOCH when the giving side has taken it back */
  async take({ id, epoch }: PayloadOf<"session.take">): Promise<{ session: Session }> {
    const { live, records, found } = this.#options;
    const record = records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    if (!live.get(id)) await live.takeOver(record, epoch);
    return { session: found.viewOf(id) };
  }

  async #handOver(session: LiveSession, to: string): Promise<void> {
    const { live, askServer, onMoved } = this.#options;
    const { record, channel } = session;
    await live.letGo(session);
    try {
      await askServer(to, "session.take", { id: record.id, epoch: channel.epoch });
    } catch (error) {
      if (!(await this.#isTakenAfterAll(session))) {
        setImmediate(() => onMoved?.(record.id)); // once the answer is on its way: who asked may follow it too
        throw errors.moveFailed(record.name, to, messageOf(error));
      }
    }
    live.changed("members");
    onMoved?.(record.id);
  }

  /** False: it is here again, or has ended meanwhile. */
  async #isTakenAfterAll({ record, channel }: LiveSession): Promise<boolean> {
    try {
      await this.#options.live.takeOver(record, channel.epoch);
      return false;
    } catch (error) {
      return isWarrenError(error, "STALE_EPOCH");
    }
  }
}
