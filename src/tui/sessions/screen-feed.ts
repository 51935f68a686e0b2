import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Action } from "../model/model.ts";

/**
 * The screen of the one session that is selected. Asked for when it is selected and when the list says that something has changed; then again every
 * ASK_EVERY_MS for as long as each answer says that there is more, and more seldom while it works. So a busy one is seen live and an idle one costs nothing.
 */

const ASK_EVERY_MS = 200;
/** Of one that works: no server tells that more was written. */
const ASK_WORKING_MS = 1_000;
/** After a failure that may pass. */
const RETRY_MS = 1_000;
const PASSING = ["CONNECTION_LOST", "TIMEOUT", "SESSION_NOT_FOUND"] as const;
const ANSWER_TIMEOUT_MS = 2_000;

export interface ScreenFeedOptions {
  clientOf: (sessionId: string) => Client | undefined;
  dispatch: (action: Action) => void;
  signal: AbortSignal;
}

export class ScreenFeed {
  readonly #options: ScreenFeedOptions;
  #id: string | null = null;
  /** What is shown: bytes of output, and what else changes a screen. */
  #shown = "";
  #isAsking = false;
  #isNews = false;
  #isShown = true;
  /** The next look is that at one that works, and need not be waited for. */
  #isResting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ScreenFeedOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.watch(null), { once: true });
  }

  watch(id: string | null): void {
    this.#id = id;
    this.#shown = "";
    this.#isNews = false;
    this.#askNow();
  }

  /** Off while another program has the terminal. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    if (isShown) this.#askNow();
    else clearTimeout(this.#timer);
  }

  /** The list's view of it: a reason to look again when it has written since. */
  heard(session: Session | undefined): void {
    if (!session || session.id !== this.#id || markOf(session) === this.#shown) return;
    this.#isNews = true;
    if (this.#timer === undefined || this.#isResting) this.#askNow();
  }

  #askNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ask();
  }

  #ask(): void {
    const id = this.#id;
    if (id === null || this.#isAsking || !this.#isShown) return;
    const client = this.#options.clientOf(id);
    if (!client) return;
    this.#isAsking = true;
    this.#isNews = false;
    void client
      .request("session.screen", { session: id, styled: true }, { timeoutMs: ANSWER_TIMEOUT_MS })
      .then(
        ({ session, lines, cursor }) => this.#onScreen(id, session, lines, cursor.y),
        (error: unknown) => this.#onFailure(id, error),
      )
      .finally(() => {
        this.#isAsking = false;
        if (this.#id !== null && this.#id !== id) this.#ask();
      });
  }

  #onScreen(id: string, session: Session, lines: readonly string[], cursorRow: number): void {
    if (this.#id !== id) return;
    const { dispatch } = this.#options;
    const mark = markOf(session);
    const isNew = mark !== this.#shown;
    this.#shown = mark;
    if (isNew) {
      dispatch({ type: "previewed", id, lines, cursorRow });
      dispatch({ type: "session-changed", session });
    }
    if (isNew || this.#isNews) this.#askLater(ASK_EVERY_MS);
    else if (session.state === "working") this.#askLater(ASK_WORKING_MS, true);
  }

  #onFailure(id: string, error: unknown): void {
    // It may be on its way to another server, or its server is being replaced. Of one that is over the list says so.
    const mayCome = PASSING.some((code) => isWarrenError(error, code));
    if (this.#id === id && mayCome) this.#askLater(RETRY_MS);
  }

  #askLater(delayMs: number, isResting = false): void {
    clearTimeout(this.#timer);
    if (!this.#isShown) return;
    this.#isResting = isResting;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, delayMs);
  }
}

const markOf = ({ output_bytes, active_at, state, cols, rows }: Session): string =>
  [output_bytes, active_at, state, cols, rows].join();
