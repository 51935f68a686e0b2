import type { ConversationSnapshot } from "../../protocol/conversation.ts";
import type { Session } from "../../protocol/units.ts";

/**
 * Which conversations of this home there are, and which have changed, the same for all hubs. A mark that is another one than before says that a conversation
 * may have more: with each change of its state, and at most every half minute while an agent works, so that what is being written is not a record for each word.
 */
export interface TalkMark {
  session: string;
  mark: string;
}

/** @throws what the server says; it is asked again with the next look */
export type ReadTalk = (session: string) => Promise<ConversationSnapshot>;

/** Those that were active last; the others are told of when they are active again. */
const TALKS_MAX = 40;
/** Of one that goes on, from one mark to the next. */
const GATHER_MS = 25_000;
/** What happens in the moment of the look may come after it. */
const SETTLED_MS = 1_000;

interface Known {
  mark: string;
  activeAt: string;
  /** When the mark was made, and what the session was then. */
  marked: { state: string; activeAt: string; ms: number };
}

export class TalkBook {
  readonly #nowMs: () => number;
  #known = new Map<string, Known>();
  #read: ReadTalk | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The sessions of the home as they are now. True: some mark is another one. */
  put(sessions: readonly Session[], read: ReadTalk): boolean {
    this.#read = read;
    const before = this.#known;
    const agents = sessions.filter(({ kind }) => kind === "agent");
    this.#known = new Map(agents.map((one) => [one.id, this.#markOf(one, before.get(one.id))]));
    return this.#known.size !== before.size || [...this.#known].some(([id, { mark }]) => before.get(id)?.mark !== mark);
  }

  /** Undefined before the first look. Those that were active last come first. */
  marks(): TalkMark[] | undefined {
    if (!this.#read) return undefined;
    return [...this.#known]
      .sort(([, a], [, b]) => (a.activeAt < b.activeAt ? 1 : -1))
      .slice(0, TALKS_MAX)
      .map(([session, { mark }]) => ({ session, mark }));
  }

  has(session: string): boolean {
    return this.#known.has(session);
  }

  /** Undefined: it cannot be read now. */
  async read(session: string): Promise<ConversationSnapshot | undefined> {
    try {
      return await this.#read?.(session);
    } catch {
      const known = this.#known.get(session);
      if (known) this.#known.set(session, { ...known, mark: "", marked: { state: "", activeAt: "", ms: 0 } });
      return undefined;
    }
  }

  #markOf({ state, active_at: activeAt }: Session, before: Known | undefined): Known {
    const nowMs = this.#nowMs();
    if (before && !isDue(before.marked, { state, activeAt, ms: nowMs })) return { ...before, activeAt };
    const isSettled = Math.abs(nowMs - Date.parse(activeAt)) > SETTLED_MS;
    const mark = `${state} ${activeAt}${isSettled ? "" : ` ${nowMs}`}`;
    return { mark, activeAt, marked: { state, activeAt, ms: nowMs } };
  }
}

/** A turn has begun or ended, perhaps both since the last look; one that goes on is looked at now and then. */
function isDue(before: Known["marked"], now: Known["marked"]): boolean {
  if (before.state !== now.state) return true;
  if (now.state !== "working" && before.activeAt !== now.activeAt) return true;
  return Math.abs(now.ms - before.ms) >= GATHER_MS;
}
