import { Client } from "../client/client.ts";
import type { Build } from "../platform/build.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { Places } from "../platform/paths.ts";
import { newRequestId } from "../platform/request-id.ts";
import { Backoff } from "../protocol/backoff.ts";
import { MAIL_LINE_BYTES_MAX } from "../protocol/envelope.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { dialMailbox, type Introduction } from "./mail-link.ts";

/**
 * A process that stays: it holds a connection to the mailbox's leader for as long as it lives, so that it hears of the leader's death at once and, if it
 * may, starts another. It never leads itself.
 */
export interface MailMemberOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** What kind of process: `server`, `mcp`, `serve`. */
  kind: string;
  name?: string;
  /** It starts a leader when there is none. Default: true. */
  mayLead?: boolean;
  /** Said on each new wire behind `mail.join`: the names that it has. */
  introduce?: () => readonly Introduction[];
  /** The wire was lost, or is there again: what was subscribed goes on by itself. */
  onConnection?: (state: "lost" | "back") => void;
  clock?: Clock;
}

/** A member asks so often whether the leader is there, and waits so long for the answer. */
const HEARTBEAT_MS = 2_000;
/** Between attempts to find a leader, for a member that starts none. */
const RETRY = { firstMs: 50, maxMs: 2_000 };

export class MailMember implements Disposable {
  readonly client: Client;
  readonly #options: MailMemberOptions;
  readonly #clock: Clock;
  readonly #backoff = new Backoff(RETRY);
  #cancelTimer = (): void => {};
  #isClosed = false;
  #isAsking = false;

  constructor(options: MailMemberOptions) {
    const { places, build, env, kind, name, mayLead = true, introduce } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const join: Introduction = {
      type: "mail.join",
      payload: { kind, pid: process.pid, may_lead: mayLead, ...(name === undefined ? {} : { name }) },
    };
    this.client = new Client({
      dial: dialMailbox({
        places,
        build,
        env,
        mode: mayLead ? "start" : "find",
        introduce: () => [join, ...(introduce?.() ?? [])],
      }),
      name: `warren-${kind}`,
      version: build.version,
      randomId: newRequestId,
      lineBytesMax: MAIL_LINE_BYTES_MAX,
      onConnection: (state) => {
        options.onConnection?.(state);
        if (state === "lost") void this.#ask();
      },
    });
    void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A request in hand makes the client dial; and a leader that does not answer it is looked at. */
  async #ask(): Promise<void> {
    if (this.#isClosed || this.#isAsking) return;
    this.#isAsking = true;
    this.#cancelTimer();
    let nextMs = HEARTBEAT_MS;
    try {
      await this.client.request("mail.ping", {}, { timeoutMs: HEARTBEAT_MS });
      this.#backoff.reset();
    } catch (error) {
      if (isWarrenError(error, "TIMEOUT") && !this.#isClosed) await this.#suspect();
      else nextMs = this.#backoff.nextMs();
    }
    this.#isAsking = false;
    if (!this.#isClosed) this.#cancelTimer = this.#clock.timer(nextMs, () => void this.#ask());
  }

  /** The process that is started looks at the leader, and takes its place when it hangs. */
  async #suspect(): Promise<void> {
    if (this.#options.mayLead === false) return;
    const { startMailLeaderOnce } = await import("./mail-start.ts");
    await startMailLeaderOnce(this.#options).catch(() => {});
  }
}
