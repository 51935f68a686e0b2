import type { FrontTable } from "../../protocol/front-messages.ts";
import { NAME_PATTERN } from "../../protocol/names.ts";

/**
 * The hosts of sessions: in development `fox.localhost` is what the session fox serves, and every other name directly below `localhost` is a session that
 * there is not. RFC 6761 §6.3: such a name means this machine and never comes from a resolver, so no page from elsewhere can have it for its origin.
 *
 * In production, and for a name with more than one label before `localhost`, a host is one like any other.
 */
export interface SessionHost {
  name: string;
  /** Undefined: there is no such session. 0: it has no port of its own. */
  port: number | undefined;
}

const SUFFIX = ".localhost";

export class SessionHosts {
  readonly #ports: ReadonlyMap<string, number>;
  /** Some hosts are sessions'. */
  readonly isServed: boolean;

  constructor({ sessions, mode = "dev" }: Pick<FrontTable, "sessions"> & Partial<Pick<FrontTable, "mode">>) {
    this.#ports = new Map(sessions.map(({ name, port }) => [name, port]));
    this.isServed = mode === "dev";
  }

  /** Undefined: the host is no session's. `host` as `hostName` makes it. */
  find(host: string): SessionHost | undefined {
    if (!this.isServed || !host.endsWith(SUFFIX)) return undefined;
    const name = host.slice(0, -SUFFIX.length);
    return NAME_PATTERN.test(name) ? { name, port: this.#ports.get(name) } : undefined;
  }
}
