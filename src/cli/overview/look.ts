import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Job, Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { openMail } from "../mail/open-mail.ts";
import { aliveServers } from "../named-server.ts";
import { placeOf } from "../place.ts";
import { sessionsByServer } from "../sessions/all-sessions.ts";

/** What the card of `warren overview` tells of, as it is at one moment. Looking starts nothing. */
export interface Seen {
  server: string;
  version: string;
  gitHash: string;
  serverPid: number | undefined;
  /** Of all directories. */
  jobs: Job[];
  here: (Job | Worker)[];
  /** Live ones, of all servers. */
  sessions: Session[];
  /** Of some session no event comes to whoever follows the primary server. */
  hasSessionsElsewhere: boolean;
  /** What the tour shows besides. */
  tour: { mail: Mail; appLink: string | undefined } | undefined;
}

export type Mail = DataOf<"mail.history">["messages"];

const MAIL_SHOWN_MAX = 4;
/** The card does not wait for a mailbox that is being taken over. */
const MAIL_TIMEOUT_MS = 1_000;
/** The app prints its link again after each use, among a few lines. */
const APP_LINES = 8;

/** One for each command: it keeps its line to the mailbox from look to look. */
export class Looker {
  readonly #context: Context;
  readonly #isTour: boolean;
  #mailbox: Client | undefined;

  constructor(context: Context, { isTour }: { isTour: boolean }) {
    this.#context = context;
    this.#isTour = isTour;
  }

  /** Undefined: no server runs. */
  async look(): Promise<Seen | undefined> {
    const context = this.#context;
    const client = context.client("find");
    try {
      const { units } = await client.request("unit.list", {});
      const { server, version, git_hash } = client.server!;
      const jobs = units.filter((unit) => unit.kind === "job");
      const servers = await sessionsByServer(context, { usage: false });
      return {
        server,
        version,
        gitHash: git_hash,
        serverPid: context.machine
          ? undefined
          : aliveServers(context.places.serversDir).find(({ name }) => name === server)?.pid,
        jobs,
        here: unitsHere(context, units),
        sessions: servers.flatMap((one) => one.sessions),
        hasSessionsElsewhere: servers.some((one) => one.server.name !== server && one.sessions.length > 0),
        tour: this.#isTour ? { mail: await this.#lastMail(), appLink: await appLink(jobs) } : undefined,
      };
    } catch (error) {
      if (isWarrenError(error, "NO_SERVER")) return undefined;
      throw error;
    }
  }

  /** The newest first; none where nobody leads. */
  async #lastMail(): Promise<Mail> {
    this.#mailbox ??= openMail(this.#context, "find");
    try {
      const asked = { as: "you", limit: MAIL_SHOWN_MAX };
      return (await this.#mailbox.request("mail.history", asked, { timeoutMs: MAIL_TIMEOUT_MS })).messages;
    } catch (error) {
      if (isWarrenError(error)) return [];
      throw error;
    }
  }
}

/** Of this directory, or of the whole project that it belongs to; on another machine, where there is no "here", all. */
function unitsHere({ machine, cwd }: Context, units: (Job | Worker)[]): (Job | Worker)[] {
  if (machine) return units;
  const place = placeOf(cwd);
  const isHere = (dir = ""): boolean => dir === place || (place !== cwd && dir.startsWith(`${place}/`));
  return units.filter(({ workdir }) => isHere(workdir));
}

/** The link that a job `warren web` has printed last: it lets one browser in. */
async function appLink(jobs: readonly Job[]): Promise<string | undefined> {
  const app = jobs.find(({ status, command }) => status === "running" && command.join(" ").startsWith("warren web"));
  if (!app) return undefined;
  const { lastLogLines } = await import("../log-end.ts");
  const lines = await lastLogLines(app.stdout_path, APP_LINES);
  return lines.findLast((line) => /^\s*http/.test(line))?.trim();
}
