import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withRole } from "../harness/processes.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { House, missing, placeOf, type Screen } from "./terminal-under-test.ts";

/** The mail in the screen: live, through the deaths of leaders and servers, with a person who takes part. */

const skip = missing();
const TIMEOUT_MS = 90_000;

async function houseWithMail(): Promise<House> {
  const house = await House.open();
  house.env.WARREN_MAIL_PORT = "0";
  return house;
}

async function openMail(screen: Screen): Promise<string> {
  await screen.open();
  await screen.keys("6");
  return screen.until(/\[6\].mail/);
}

const send = (house: House, from: string, to: string, text: string): Promise<string> =>
  house.warren("mail", "send", "--quiet", "--as", from, to, text);
const check = async (house: House, name: string): Promise<{ body: string; kind: string }[]> =>
  JSON.parse(await house.warren("mail", "check", "--as", name, "--json")).messages;
const statusOf = async (house: House) => JSON.parse(await house.warren("mail", "status", "--json"));
const leaders = (house: House): number => withRole(join(house.dir, "home"), "mail").length;

test(
  "mail: an open screen starts no leader, says so, and sees the first message come",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    const screen = await house.screen();
    await openMail(screen);
    await screen.until(/Nobody has sent mail here yet\./, /none: no mail was ever sent/);
    assert.equal(leaders(house), 0);
    await send(house, "fox", "owl", "the first one");
    await screen.until(/1 fox → owl {2}the first one +queued/, /\d+ leads, epoch 1/, /owl +1 unread/);
    await house.warren("nuke");
    await house.warren("ping");
    await screen.until(/nobody leads/, /1 fox → owl {2}the first one/);
    await screen.keys("Escape");
    await screen.until(/Nothing runs here yet/);
    await screen.keys("6");
    await screen.until(/Nobody leads the mailbox now\./, /the next message starts/);
    assert.equal(leaders(house), 0);
    await screen.keys("w");
    await screen.until(/to @NAME/);
    await screen.type("owl the second one");
    await screen.keys("Enter");
    await screen.until(/2 kept for owl/, /2 you → owl {2}the second one/, /\d+ leads, epoch 2/);
    assert.deepEqual(
      (await check(house, "owl")).map(({ body }) => body),
      ["the first one", "the second one"],
    );
  },
);

test(
  "mail: presence, unread and receipts are live; one reads, answers, writes and acknowledges",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    const long = Array.from({ length: 200 }, (_, at) => `line ${at} ${"x".repeat(20)}`).join("\n");
    await send(house, "fox", "you", "one");
    await send(house, "fox", "you", long);
    const screen = await house.screen();
    await openMail(screen);
    await screen.until(/fox/, /you +2 unread/, /1 fox → you {2}one +queued/, /message 2/, /enter: all of it/);
    await screen.keys("Tab", "Enter");
    await screen.until(/2 {2}fox → you/, /you queued/, /line 0 /, /esc closes/);
    await screen.keys("G");
    await screen.until(/line 199 /);
    await screen.keys("Escape");
    await screen.until(/message 2/);

    await screen.keys("a");
    await screen.until(
      /2 messages of fox acknowledged/,
      /✓ 1 fox → you .*handled/,
      /✓ 2 fox → you .*handled/,
      (text) => !/unread/.test(text),
    );
    await screen.keys("r");
    await screen.until(/reply to fox, 2/, /\| line 0/);
    await screen.type("read it, thanks");
    await screen.keys("Enter");
    await screen.until(/3 kept for fox/, /3 you → fox {2}read it, thanks +queued/, /fox +1 unread/);
    const [answer] = await check(house, "fox");
    assert.deepEqual([answer?.kind, answer?.body], ["reply", "read it, thanks"]);
    await screen.until(/✓ 3 you → fox .*handled/, /✓ 2 fox → you .*replied/);

    const row = placeOf(await screen.text(), "◌ fox").y;
    await screen.mouse(0, 5, row);
    await screen.until(/╭─fox─/);
    await screen.keys("w");
    await screen.until(/─to fox─/);
    await screen.type("one more");
    await screen.keys("Enter");
    await screen.until(/4 you → fox {2}one more/);
    await send(house, "bear", "owl", "about something else");
    await screen.until(/bear/, (text) => !text.includes("about something else"));
    await screen.keys("g");
    await screen.until(/all messages/, /5 bear → owl {2}about something else/);
  },
);

test(
  "mail: goes on through the deaths of leaders and of the server, under a flood, and back at its size",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    await send(house, "fox", "owl", "before");
    const screen = await house.screen({ columns: 60, rows: 15, env: { WARREN_NO_EMOJI: "1", NO_COLOR: "1" } });
    await openMail(screen);
    for (const epoch of [2, 3]) {
      await screen.until(/\. \d+ stands by/);
      process.kill((await statusOf(house)).leader.pid, "SIGKILL");
      await screen.until(new RegExp(`\\* \\d+ leads, epoch ${epoch}`));
      await send(house, "fox", "owl", `in epoch ${epoch}`);
      await screen.until(/fox -> owl {2}in ep/);
    }
    const server = pidOfServer(house);
    process.kill(server, "SIGKILL");
    await Promise.all(Array.from({ length: 20 }, (_, at) => send(house, "bear", "owl", `${at} of many`)));
    await screen.until((text) => (text.match(/bear -> owl/g)?.length ?? 0) === 12, /owl +23/);
    const text = await screen.text();
    assert.match(text, /^[\x20-\x7e\n…·]*$/);
    assert.ok(text.split("\n").every((line) => line.length <= 60));
    await screen.resize(120, 30);
    await screen.until(/message 23/, /23 unread/);
    await screen.keys("q");
    await screen.until(/ended 0/);
    assert.equal(await screen.modes(), "0011");
  },
);

test(
  "mail: is left without a trace: the connection ends, and the mailbox with it",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    house.env.WARREN_MAIL_IDLE_MS = "1000";
    await send(house, "fox", "owl", "one");
    const screen = await house.screen();
    await openMail(screen);
    await screen.until(/1 fox → owl/);
    const connections = async (): Promise<number> => (await statusOf(house)).connections;
    await waitUntil(async () => (await connections()) === 3, { what: "the screen, the standby and this question" });
    await screen.keys("Escape");
    await screen.until(/Nothing runs here yet/);
    await waitUntil(() => leaders(house) === 0, { what: "the end of a mailbox that nobody uses" });
    await screen.keys("6");
    await screen.until(/Nobody leads the mailbox now/);
  },
);

function pidOfServer(house: House): number {
  const dir = join(house.dir, "home", "servers");
  const [file] = readdirSync(dir).filter((name) => name.endsWith(".json"));
  return JSON.parse(readFileSync(join(dir, file!), "utf8")).pid;
}
