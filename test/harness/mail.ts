import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client, type ClientOptions } from "../../src/client/client.ts";
import { dialMailbox, type MailDialOptions } from "../../src/local/mail-link.ts";
import { MailMember, type MailMemberOptions } from "../../src/local/mail-member.ts";
import { MAIL_LINE_BYTES_MAX } from "../../src/protocol/envelope.ts";
import type { MailStatus } from "../../src/protocol/mail-units.ts";
import { type Installation, thisInstallation } from "./build-copy.ts";
import { type HomeOptions, type TemporaryHome, temporaryHome } from "./home.ts";
import { type HomeProcess, withRole } from "./processes.ts";
import { waitUntil } from "./wait-until.ts";

/** A temporary home with a mailbox on a free port: its participants in this process, its leader and standby in theirs. */
export class MailHome implements AsyncDisposable {
  readonly house: TemporaryHome;
  readonly #open: { close(): void }[] = [];

  constructor(options: HomeOptions = {}) {
    this.house = temporaryHome({ ...options, env: { WARREN_MAIL_PORT: "0", ...options.env } });
  }

  get logPath(): string {
    return join(this.house.places.mailDir, "log.db");
  }

  /** A participant, on a connection of its own. It starts a leader when there is none. */
  client(options: Partial<MailDialOptions> & { from?: Installation; client?: Partial<ClientOptions> } = {}): Client {
    const { from = thisInstallation(), client: more, ...dial } = options;
    const { places, env } = this.house;
    const client = new Client({
      dial: dialMailbox({ places, build: from.build, env, mode: "start", ...dial }),
      name: "test",
      version: "0",
      randomId: () => crypto.randomUUID(),
      lineBytesMax: MAIL_LINE_BYTES_MAX,
      ...more,
    });
    this.#open.push(client);
    return client;
  }

  member(options: Partial<MailMemberOptions> & { from?: Installation } = {}): MailMember {
    const { from = thisInstallation(), ...more } = options;
    const { places, env } = this.house;
    const member = new MailMember({ places, build: from.build, env, kind: "test", ...more });
    this.#open.push(member);
    return member;
  }

  async status(client: Client = this.client()): Promise<MailStatus> {
    return (await client.request("mail.status", {})).status;
  }

  /** Leader and standby, and whatever else of that program runs. */
  processes(): HomeProcess[] {
    return withRole(this.house.home, "mail");
  }

  /** The process that leads, by the log; waits until the one of `afterEpoch` is over. */
  leader({ afterEpoch = 0 } = {}): Promise<HomeProcess & { epoch: number }> {
    return waitUntil(
      () => {
        const row = this.leaders()[0];
        const found = this.processes().find(({ pid }) => pid === row?.pid);
        return row !== undefined && found !== undefined && row.epoch > afterEpoch && { ...found, epoch: row.epoch };
      },
      { what: "a leader" },
    );
  }

  /** Waits until it has joined, so that it will take over at once. */
  standby(client: Client = this.client()): Promise<HomeProcess> {
    return waitUntil(
      async () => {
        const { members, leader } = await this.status(client);
        const pid = members.find(({ kind }) => kind === "standby")?.pid;
        return this.processes().find((one) => one.pid === pid && one.pid !== leader.pid);
      },
      { what: "a standby" },
    );
  }

  /** Everybody who has led, the newest first. */
  leaders(): { epoch: number; pid: number; port: number | null }[] {
    return this.query("select epoch, pid, port from leader order by epoch desc");
  }

  /** Of the log, read beside the leader. */
  query<R>(sql: string, ...values: (string | number)[]): R[] {
    let log: DatabaseSync;
    try {
      log = new DatabaseSync(this.logPath, { readOnly: true, timeout: 1_000 });
    } catch {
      return []; // not there yet
    }
    try {
      return log.prepare(sql).all(...values) as R[];
    } catch {
      return [];
    } finally {
      log.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open) one.close();
    await this.house[Symbol.asyncDispose]();
  }
}
