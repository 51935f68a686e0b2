import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryHome } from "./harness/home.ts";
import { MailSite } from "./harness/mail-chaos.ts";
import { type Answer, McpAgent } from "./harness/mcp.ts";
import { waitUntil } from "./harness/wait-until.ts";

/**
 * The day of a team, by four agents as they are: `warren mcp` each, a process of its own. The first one starts the mailbox and ends, the others go on, a new one
 * joins, and the first comes back to its mail (docs/mailbox.md, "Profiles").
 */
const TIMEOUT_MS = 90_000;

test(
  "the first agent exits; the others go on; a new one joins; the first comes back to its mail",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    await using site = new MailSite(house);
    const start = (name: string): Promise<McpAgent> => McpAgent.start(house, { args: ["--as", name] });
    const send = async (from: McpAgent, to: string, text: string): Promise<string> =>
      (await from.ok("send", { to, text })).data.id as string;
    const texts = ({ data }: Answer): [from: string, text: string][] =>
      data.messages.map(({ from, text }: { from: string; text: string }) => [from, text.split("\n")[1]]);
    const leader = async (of: McpAgent) =>
      (await of.ok("status")).data.mailbox as { leader_pid: number; epoch: number };

    // The first: it starts a leader, which is nobody's child.
    const ash = await start("ash");
    await ash.ok("list_agents");
    const first = await waitUntil(() => site.leader(), { what: "a leader" });
    await using birch = await start("birch");
    await using cedar = await start("cedar");
    await send(ash, "birch", "one");
    await send(cedar, "birch", "two");
    assert.deepEqual(texts(await birch.ok("check")), [
      ["ash", "one"],
      ["cedar", "two"],
    ]);
    await waitUntil(() => site.standby(), { what: "a standby" });

    // It exits: nobody leads who did not before.
    const epoch = site.epoch();
    await ash.close();
    await send(birch, "ash", "are you there?");
    assert.deepEqual([site.leader()?.pid, site.epoch()], [first.pid, epoch]);
    assert.equal((await leader(cedar)).leader_pid, first.pid);

    // And now the leader dies, while birch waits and cedar sends.
    const waiting = birch.ok("wait", { timeout_s: 30 });
    process.kill(first.pid, "SIGKILL");
    const sent = await send(cedar, "birch", "through the death");
    assert.deepEqual(texts(await waiting), [["cedar", "through the death"]], "neither call has failed");
    const second = await leader(birch);
    assert.ok(second.leader_pid !== first.pid && second.epoch === epoch + 1, `epoch ${second.epoch} after ${epoch}`);
    await birch.ok("ack", { ids: [sent] });

    // A new one joins the same mailbox, and is there for all.
    await using elm = await start("elm");
    assert.equal((await leader(elm)).epoch, second.epoch);
    await send(elm, "cedar", "hello, I am new");
    assert.deepEqual(texts(await cedar.ok("wait", { timeout_s: 30 })), [["elm", "hello, I am new"]]);
    const { participants } = (await elm.ok("list_agents", { all: true })).data as {
      participants: { name: string; presence: string }[];
    };
    const gone = participants.filter(({ presence }) => presence === "gone").map(({ name }) => name);
    assert.deepEqual(gone, ["ash"]);

    // The first comes back: its name is its own, and its mail is there, once.
    await using again = await start("ash");
    assert.deepEqual(texts(await again.ok("check")), [["birch", "are you there?"]]);
    assert.deepEqual(texts(await again.ok("check")), []);
    const starts = readFileSync(house.places.mailLeaderLog, "utf8").match(/Started message broker/g);
    assert.equal(starts?.length, 2, "two have led, one after the other");
  },
);
