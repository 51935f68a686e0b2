import { randomUUIDv7 } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "../../src/client/client.ts";
import { dialMailbox } from "../../src/local/mail-link.ts";
import { readBuild } from "../../src/platform/build.ts";
import { resolvePlaces } from "../../src/platform/paths.ts";
import { commandLines } from "../processes.ts";
import { markedPids, type Stage } from "../stage.ts";
import type { MailKind, MailPlace } from "./peer.ts";

/** A mailbox holds this many unread messages at most; the bench writes to the next one in time. */
const UNREAD_MAX = 9_000;

export const warren: MailKind = {
  name: "warren",
  version: async ({ checkout }) => {
    const { version, hash } = readBuild(join(checkout, "dist"));
    return `${version} (${hash})`;
  },
  async start(place) {
    const box = await openMailbox(place);
    const [writer, reader] = [box.client(), box.client()];
    await reader.request("mail.register", { name: "reader" });
    await writer.request("mail.register", { name: "writer" });
    let sent = 0;
    return {
      name: "warren",
      pids: box.pids(),
      pipelinedCount: 20_000,
      async send(body) {
        await writer.request("mail.send", { to: [`store${Math.floor(sent++ / UNREAD_MAX)}`], body });
      },
      async sendToReader(body) {
        await writer.request("mail.send", { to: ["reader"], body });
      },
      async receive() {
        for (;;) {
          const { messages } = await reader.request("mail.fetch", { as: "reader", limit: 1, wait_ms: 45_000 });
          const atMs = performance.now();
          if (messages.length === 0) continue;
          await reader.request("mail.ack", { as: "reader", ids: messages.map(({ id }) => id) });
          return atMs;
        }
      },
    };
  },
};

/** A home with a mailbox. */
export interface Mailbox {
  home: string;
  env: NodeJS.ProcessEnv;
  client(): Client;
  /** Leader and standby. */
  pids(): number[];
  leader(): Promise<{ pid: number; epoch: number }>;
}

export async function openMailbox({ stage, dir, ending }: MailPlace): Promise<Mailbox> {
  const home = join(dir, "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const env = { ...stage.env, WARREN_HOME: home, WARREN_MAIL_PORT: "0" };
  const build = readBuild(join(stage.checkout, "dist"));
  const places = resolvePlaces(env);
  const client = (): Client => {
    const dial = dialMailbox({ places, build, env, mode: "start" });
    const one = new Client({ dial, name: "bench", version: "0", randomId: randomUUIDv7 }); // as the product's own clients of the mailbox
    ending.defer(() => one.close());
    return one;
  };
  const asking = client();
  ending.defer(() => endAll(stage, home));
  await asking.request("mail.ping", {});
  return {
    home,
    env,
    client,
    pids: () => leaderPids(stage, home),
    leader: () => asking.request("mail.ping", {}),
  };
}

/** Stopped first, so that neither sees the other go and starts a third. */
function endAll(stage: Stage, home: string): void {
  const pids = leaderPids(stage, home);
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // ended between the two looks
      }
    }
  }
}

const leaderPids = ({ dir }: Stage, home: string): number[] =>
  markedPids(dir).filter((pid) =>
    commandLines([pid]).some((line) => line.includes(home) && line.includes("mail-leader")),
  );
