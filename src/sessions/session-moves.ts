import { messageOf } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import type { Session } from "../protocol/units.ts";
import * as errors from "./errors.ts";
import type { LiveSession } from "./live-session.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { SessionRecords } from "./record.ts";
import type { SessionFinder } from "./session-finder.ts";
import { viewSession } from "./views.ts";

/** Sessions go from server to server: the giving side and the taking side. Programs do not notice; their clients come back at the other server. */
export interface SessionMovesOptions {
  live: LiveSessions;
  records: SessionRecords;
  found: SessionFinder;
  /** The server's name. */
  server: string;
  /** Who follows it is to come back: to another server, or here after a move that failed. */
  onMoved?: (id: string) => void;
  askServer: (server: string, type: "session.take", payload: { id: string }) => Promise<unknown>;
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

  /** The other side. @throws SESSION_NOT_FOUND */
  async take({ id }: PayloadOf<"session.take">): Promise<{ session: Session }> {
    const { live, records, found } = this.#options;
    const record = records.read(id);
    if (!record) throw errors.sessionNotFound(id, []);
    if (!live.get(id)) await live.takeOver(record);
    return { session: found.viewOf(id) };
  }

  async #handOver(session: LiveSession, to: string): Promise<void> {
    const { live, askServer, onMoved } = this.#options;
    const { record } = session;
    await live.letGo(session);
    try {
      await askServer(to, "session.take", { id: record.id });
    } catch (error) {
      await live.takeOver(record).catch(() => {}); // it has ended meanwhile
      setImmediate(() => onMoved?.(record.id)); // once the answer is on its way: who asked may follow it too
      throw errors.moveFailed(record.name, to, messageOf(error));
    }
    live.changed("members");
    onMoved?.(record.id);
  }
}
