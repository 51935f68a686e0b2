import { Client } from "../../client/client.ts";
import { ensureServer } from "../../local/ensure-server.ts";
import { reloadServer } from "../../local/reload-server.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import type { Build } from "../../platform/build.ts";
import type { Places } from "../../platform/paths.ts";
import { unreachable, WarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Verb } from "../model/model.ts";
import type { Servers } from "./servers.ts";

/** What changes sessions: asked of the server that has it, or, for what is started, of the newest one. */
export type SessionVerb = Extract<Verb, { verb: `session-${string}` }>;

export interface SessionRequestsOptions {
  places: Places;
  build: Build;
  env: Readonly<NodeJS.ProcessEnv>;
  cwd: string;
  servers: Servers;
  /** Of the terminal, so that nothing is drawn twice. */
  size: () => { cols: number; rows: number };
}

export class SessionRequests {
  readonly #options: SessionRequestsOptions;

  constructor(options: SessionRequestsOptions) {
    this.#options = options;
  }

  /** What was done, to be said. */
  async perform(verb: SessionVerb, label: string): Promise<string> {
    const text = await this.#request(verb, label);
    this.#options.servers.refresh();
    return text;
  }

  /** The user's shell in the directory of the screen. */
  async start(environment: string[]): Promise<Session> {
    const { env, cwd, size } = this.#options;
    return this.#withLatest(async (client) => {
      const { session } = await client.request("session.new", {
        command: [env.SHELL || "/bin/sh"],
        workdir: cwd,
        env: environment,
        ...size(),
      });
      return session;
    });
  }

  async #request(verb: SessionVerb, label: string): Promise<string> {
    switch (verb.verb) {
      case "session-stop":
        await this.#clientOf(verb.id, label).request("session.stop", { session: verb.id });
        return `${label} stopped`;
      case "session-rename": {
        const { session } = await this.#clientOf(verb.id, label).request("session.rename", {
          session: verb.id,
          name: verb.name,
        });
        return `${label} is now ${session.name}`;
      }
      case "session-move":
        await this.#clientOf(verb.id, label).request("session.move", { session: verb.id, to: verb.to });
        return `${label} is on ${verb.to} now`;
      case "session-resume": {
        const { session } = await this.#withLatest((client) => client.request("session.resume", { session: verb.id }));
        const former = session.former_name === undefined ? "" : ` (${session.former_name} is taken)`;
        return `${session.name} resumed on ${session.server}${former}`;
      }
      case "session-reload": {
        const { places, build } = this.#options;
        const { hash, generation, fellBack } = await reloadServer(places, build, verb.server);
        return fellBack ?? `${verb.server} reloaded: ${hash}, generation ${generation}`;
      }
      default:
        return unreachable(verb);
    }
  }

  #clientOf(id: string, label: string): Client {
    const client = this.#options.servers.clientOf(id);
    if (client) return client;
    throw new WarrenError("SESSION_NOT_LIVE", `${label} is not live any more.`, { fix: `warren resume ${label}` });
  }

  /** A connection of its own: the server may have to be started. */
  async #withLatest<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const { places, build, env, servers } = this.#options;
    const client = new Client({
      dial: async (events) => {
        const latest = servers.latest();
        if (latest) return dialUnix(latest.socket, events, latest.git_hash);
        const { socketPath, hash } = await ensureServer({ places, build, env });
        return dialUnix(socketPath, events, hash);
      },
      name: "warren-tui",
      version: build.version,
      randomId: () => crypto.randomUUID(),
    });
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }
}
