import type { Clock } from "../platform/clock.ts";
import type { Connection } from "./connection.ts";
import type { HubLimits } from "./limits.ts";

/**
 * Who is there, within ten seconds: whoever has said nothing for a while is pinged, and who says nothing then is gone. One timer for all, which rests while nobody
 * is connected.
 */
export interface PresenceOptions {
  clock: Clock;
  limits: HubLimits;
  connections: ReadonlySet<Connection>;
  /** It has not answered. */
  onSilent: (connection: Connection) => void;
}

/** How exact it is. */
const LOOKS_PER_SILENCE = 8;

export class Presence {
  readonly #options: PresenceOptions;
  #cancel: (() => void) | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Somebody has connected. */
  watch(): void {
    if (this.#cancel) return;
    const { clock, limits } = this.#options;
    this.#cancel = clock.timer(limits.silenceMs / LOOKS_PER_SILENCE, () => {
      this.#cancel = undefined;
      this.#look();
      if (this.#options.connections.size > 0) this.watch();
    });
  }

  close(): void {
    this.#cancel?.();
  }

  #look(): void {
    const { clock, connections } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const connection of connections) this.#lookAt(connection, nowMs);
  }

  #lookAt(connection: Connection, nowMs: number): void {
    const { limits, onSilent } = this.#options;
    // Whom we do not read cannot be heard, and a stranger has the time of its login.
    if (connection.cancelPause || !connection.identity) return;
    if (connection.pingedMs !== undefined && nowMs - connection.pingedMs >= limits.answerMs) onSilent(connection);
    else if (connection.pingedMs === undefined && nowMs - connection.heardMs >= limits.silenceMs) {
      connection.pingedMs = nowMs;
      connection.outbox.send({ kind: "ping", token: 0 });
    }
  }
}
