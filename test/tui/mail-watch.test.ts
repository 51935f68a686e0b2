import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Client } from "../../src/client/client.ts";
import { dialMailbox } from "../../src/local/mail-link.ts";
import { resolvePlaces } from "../../src/platform/paths.ts";
import { thisInstallation } from "../harness/build-copy.ts";
import { eventually, House, missing, type Screen } from "./terminal-under-test.ts";

/** `warren mail watch` on a real terminal: what a person sees, and how one takes part. */

const skip = missing();
const TIMEOUT_MS = 90_000;
/** One takes 10,000 unread messages. */
const MAILBOXES = 4;

async function houseWithMail(): Promise<House> {
  const house = await House.open();
  house.env.WARREN_MAIL_PORT = "0";
  return house;
}

const watching = (screen: Screen, args = ""): Promise<string> => screen.open(/You are you\./, `mail watch ${args}`);
const send = (house: House, from: string, to: string, text: string): Promise<string> =>
  house.warren("mail", "send", "--quiet", "--as", from, to, text);
const rowOf = (text: string, what: RegExp): number => text.split("\n").findIndex((row) => what.test(row));

async function leaderOf(house: House): Promise<{ pid: number; epoch: number }> {
  return JSON.parse(await house.warren("mail", "status", "--json")).leader;
}

test(
  "watch: shows what passes above the line, answers whoever wrote last, and leaves the terminal as it was",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    const screen = await house.screen({ columns: 100, rows: 24 });
    await screen.type("stty -a > before");
    await screen.keys("Enter");
    await watching(screen);
    await screen.until(/^you → @NAME text:$/m);
    await send(house, "fox", "owl", "look at the schema");
    await screen.until(/\d+ {2}fox → owl {2}\d\d:\d\d:\d\d\n {2}look at the schema\nyou → fox:$/m);

    await screen.type("half a li");
    await screen.until(/^you → fox: half a li$/m);
    await send(house, "bear", "owl", "I am quicker");
    const half = await screen.until(/bear → owl/, /I am quicker/, /^you → fox: half a li$/m);
    assert.equal(half.match(/half a li/g)?.length, 1);
    assert.ok(rowOf(half, /I am quicker/) < rowOf(half, /half a li/));
    await screen.type("ne");
    await screen.keys("Enter");
    await screen.until(/you → fox .*\n {2}half a line\nyou → bear:$/m);
    assert.deepEqual(
      JSON.parse(await house.warren("mail", "check", "--as", "fox", "--json")).messages.map(
        (one: { body: string }) => one.body,
      ),
      ["half a line"],
    );

    await screen.type("@nobdy are you there");
    await screen.keys("Enter");
    await screen.until(/nobody has ever been called nobdy/, /you → nobdy/, /^you → bear:$/m);
    await screen.type("not sent");
    await screen.keys("C-c");
    await screen.until(/ended 0\nready>$/m, (text) => !text.includes("not sent"));
    await screen.type("stty -a > after; cmp before after && echo same");
    await screen.keys("Enter");
    await screen.until(/^same$/m);
  },
);

test(
  "watch: goes on after the leader's death, says so in one line, and misses nothing",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    const screen = await house.screen({ columns: 100, rows: 30 });
    await watching(screen);
    await send(house, "fox", "owl", "before");
    await screen.until(/before/);
    for (const epoch of [2, 3]) {
      const { pid } = await leaderOf(house);
      process.kill(pid, "SIGKILL");
      await send(house, "fox", "owl", `in epoch ${epoch}`);
      await screen.until(
        new RegExp(`process \\d+ leads now, epoch ${epoch}: `),
        new RegExp(`  in epoch ${epoch}$`, "m"),
      );
    }
    const text = await screen.text();
    assert.equal(text.match(/leads now/g)?.length, 2);
    assert.ok(
      rowOf(text, /before/) < rowOf(text, /in epoch 2$/) && rowOf(text, /in epoch 2$/) < rowOf(text, /in epoch 3$/),
    );
    await screen.keys("C-d");
    await screen.until(/ended 0/);
  },
);

test(
  "watch: what is hostile is shown and does nothing; long lines stay within their message; it resizes",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    const screen = await house.screen({ columns: 60, rows: 40 });
    await watching(screen);
    const faked = `${" ".repeat(58)}99  you → you  12:00:00`;
    await send(house, "fox", "owl", `\x1b[2J\x1b]0;title\x07\u202edesrever\r\nsecond\x1b[1;1H`);
    await send(house, "fox", "owl", faked);
    await screen.until(/\\x1b\[2J\\x1b\]0;title\\x07\\u202edesrever/, /^ {2}second\\x1b\[1;1H$/m, /99 {2}you → you/);
    assert.doesNotMatch(await screen.text(), /^99/m);
    await send(house, "fox", "owl", Array.from({ length: 60 }, (_, at) => `row ${at}`).join("\n"));
    await screen.until(/^ {2}row 23$/m, /… warren mail show 3/, (text) => !text.includes("row 24"));
    await screen.type("typed while it is made smaller and wider and smaller, long");
    await screen.resize(40, 20);
    await screen.resize(90, 30);
    await send(house, "bear", "owl", "after the resize");
    const text = await screen.until(
      /after the resize/,
      /you → fox: typed while it is made smaller and wider and smaller, long/,
    );
    assert.ok(rowOf(text, /after the resize/) < rowOf(text, /you → fox: typed/));
    await screen.keys("C-c");
    await screen.until(/ended 0/);
  },
);

test(
  "watch: a flood comes whole and in order, in a pipe as an object a line; a reader that goes ends it",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await houseWithMail();
    await house.warren("mail", "status");
    const count = 10_000;
    const start = (...args: string[]) =>
      spawn(house.bin, ["mail", "watch", ...args], {
        cwd: house.project,
        env: house.env,
        stdio: ["ignore", "pipe", "inherit"],
      });
    await send(house, "fox", "owl", "to have a leader");
    const json = start("--json");
    const lines: string[] = [];
    let rest = "";
    json.stdout.on("data", (chunk) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
    });
    const head = spawn("sh", ["-c", '"$0" mail watch | head -n 2', house.bin], {
      cwd: house.project,
      env: house.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const headEnded = once(head, "close");
    let shown = "";
    head.stdout.on("data", (chunk) => {
      shown += chunk;
    });
    // When both have begun, each shows what comes.
    for (let at = 0; lines.length === 0 || shown === ""; at++) await send(house, "fox", "owl", `begun ${at}`);
    const rows = Array.from({ length: count }, (_, at) => `flood ${at}`);
    await pour(house, rows);
    await eventually(
      async () => lines.filter((line) => line.includes("flood ")).length,
      (seen) => seen === count,
      (seen) => `${seen} of ${count}`,
    );
    const bodies = lines.map((line) => JSON.parse(line).body).filter((body) => body.startsWith("flood "));
    assert.deepEqual(bodies, rows);
    await headEnded;
    assert.match(shown, /^\d+ {2}fox -> owl {2}\d{4}-\d\d-\d\dT\S+\n {2}begun \d+\n/);
    json.kill("SIGINT");
    const [status] = await once(json, "close");
    assert.equal(status, 0);
  },
);

/** Sent one behind the other on one connection, so that they stand in the log in their order. */
async function pour(house: House, bodies: readonly string[]): Promise<void> {
  const { env } = house;
  const { build } = thisInstallation();
  const client = new Client({
    dial: dialMailbox({ places: resolvePlaces(env), build, env, mode: "find", isPerson: true }),
    name: "test",
    version: "0",
    randomId: () => crypto.randomUUID(),
  });
  try {
    const sent = bodies.map((body, at) =>
      client.request("mail.send", { as: "fox", to: [`owl-${at % MAILBOXES}`], body }),
    );
    await Promise.all(sent);
  } finally {
    client.close();
  }
}
