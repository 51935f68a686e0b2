import { Client } from "../client/client.ts";
import { dialMailbox, type Introduction } from "../local/mail-link.ts";
import { MailMember } from "../local/mail-member.ts";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { MAIL_LINE_BYTES_MAX } from "../protocol/envelope.ts";
import type { MailForwardOptions } from "./mail-forward.ts";
import { type AgentStates, joining } from "./mail-presence.ts";

/** A server's connections to the mailbox's leader: its own, and one for each of its clients that asks for mail. */
export interface MailWayOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** The server's. */
  name: string;
}

export class MailWay {
  readonly #options: MailWayOptions;

  constructor({ places, build, env, name }: MailWayOptions) {
    this.#options = { places, build, env, name };
  }

  /** As a member of the kind that may give names to sessions, and speak for them. */
  ofServer(states: () => AgentStates): MailMember {
    const introduce = (): Introduction[] => [{ type: "mail.join", payload: joining(states(), this.#options.name) }];
    return new MailMember({ ...this.#options, kind: "server", introduce });
  }

  /** As whoever it is. */
  ofClient({ mode, randomId }: Parameters<MailForwardOptions["open"]>[0]): Client {
    const { places, build, env } = this.#options;
    const clientId = crypto.randomUUID();
    return new Client({
      dial: (events) => dialMailbox({ places, build, env, mode: mode(), clientId })(events),
      name: "warren-server",
      version: build.version,
      randomId,
      lineBytesMax: MAIL_LINE_BYTES_MAX,
    });
  }
}
