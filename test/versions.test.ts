import assert from "node:assert/strict";
import { test } from "node:test";
import { type Installation, speaks, variant } from "./harness/build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import type { Ended } from "./harness/warren.ts";

/** Commands and servers of builds that do not understand each other: each works or says in one line who is old and what to type, and nobody waits. */
const TIMEOUT_MS = 90_000;
/** A command that is still there then hangs. */
const DEADLINE_MS = 15_000;

/** Every verb that talks to the server of a session, as the old or the new command. */
const OF_FOX = [
  ["send", "fox", "typed\n"],
  ["rename", "fox", "otter"],
  ["attach", "fox"],
  ["logs", "fox"],
  ["history", "fox"],
  ["wait", "fox", "--for", "idle"],
  ["stop", "fox"],
];

interface Pair extends AsyncDisposable {
  house: TemporaryHome;
  /** The other build's command. */
  ask(args: readonly string[]): Promise<Ended>;
}

/** A server of one build with the session fox, and the command of another. Only the server's own command can end it. */
async function pair(server: Installation, command: Installation): Promise<Pair> {
  const house = temporaryHome();
  const { status, stderr } = await house.warren(["new", "-d", "--name", "fox", "--", "cat"], { from: server });
  assert.equal(status, 0, stderr);
  return {
    house,
    ask: (args) => house.warren(args, { from: command, deadlineMs: DEADLINE_MS, input: "" }),
    async [Symbol.asyncDispose]() {
      await house.warren(["shutdown", "--force"], { from: server });
      await house[Symbol.asyncDispose]();
    },
  };
}

async function everyVerbSays({ house, ask }: Pair, server: Installation, says: RegExp, fix: string): Promise<void> {
  for (const args of OF_FOX) {
    const { status, signal, stdout, stderr } = await ask(args);
    const shown = `warren ${args.join(" ")} → ${status ?? signal}\n${stdout}${stderr}`;
    assert.equal(status, 125, shown);
    const [error = "", ...rest] = stderr.trimEnd().split("\n");
    assert.match(error, says, shown);
    assert.deepEqual(rest, [fix], shown);
  }
  const { stdout } = await house.warren(["sessions", "--json"], { from: server });
  const sessions = JSON.parse(stdout) as { name: string; output_bytes: number }[];
  assert.deepEqual(
    sessions.map(({ name, output_bytes }) => [name, output_bytes]),
    [["fox", 0]],
    "nothing of it was carried out",
  );
}

test(
  "versions: a newer command and a server of another protocol: it is old, and reload mends it",
  { timeout: TIMEOUT_MS },
  async () => {
    const old = variant({ hash: "old0001", newerByMs: -60_000 });
    const command = variant({ hash: "new0002", newerByMs: 60_000, ...speaks({ min: 2, max: 2 }) });
    await using both = await pair(old, command);
    const { house, ask } = both;
    const [server] = Object.keys(JSON.parse((await house.warren(["servers", "--json"])).stdout));
    await everyVerbSays(
      both,
      old,
      new RegExp(`^error: The server ${server} is too old for this warren command`),
      `warren reload ${server}`,
    );
    const listed = await ask(["sessions"]);
    assert.match(listed.stderr, /did not list its sessions, fox: The server \w+ is too old/);
    assert.doesNotMatch(listed.stdout, /No sessions/);
    const job = await ask(["run", "echo", "new jobs run"]);
    assert.match(job.stdout, /new jobs run/, `the jobs go to a server of the newer build: ${job.stderr}`);

    const reloaded = await ask(["reload", server!]);
    assert.equal(reloaded.status, 0, reloaded.stderr);
    for (const args of [
      ["send", "fox", "typed\n"],
      ["rename", "fox", "otter"],
    ]) {
      const { status, stderr } = await ask(args);
      assert.equal(status, 0, stderr);
    }
    const ended = await ask(["nuke", "--grace", "0s"]);
    assert.equal(ended.status, 0, ended.stderr);
  },
);

test(
  "versions: an older command and a server of another protocol: the command is old",
  { timeout: TIMEOUT_MS },
  async () => {
    const server = variant({ hash: "new0003", newerByMs: 60_000, ...speaks({ min: 2, max: 2 }) });
    const command = variant({ hash: "old0004", newerByMs: -60_000 });
    await using both = await pair(server, command);
    await everyVerbSays(
      both,
      server,
      /^error: This warren command is too old for the server \w+/,
      "npm install -g warren@latest",
    );
    for (const args of [["list"], ["add", "--", "true"], ["events"], ["nuke"]]) {
      const { status, stderr } = await both.ask(args);
      assert.equal(status, 125, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, /^error: This warren command is too old/);
    }
    const ended = await both.ask(["shutdown", "--force"]);
    assert.equal(ended.status, 0, `ending is the same in every version: ${ended.stderr}`);
  },
);

test(
  "versions: a server that speaks the command's protocol and others is simply used",
  { timeout: TIMEOUT_MS },
  async () => {
    const server = variant({ hash: "new0005", newerByMs: 60_000, ...speaks({ min: 1, max: 3 }) });
    await using both = await pair(server, variant({ hash: "old0006", newerByMs: -60_000 }));
    for (const args of [
      ["send", "fox", "typed\n"],
      ["rename", "fox", "otter"],
      ["run", "true"],
      ["stop", "otter"],
    ]) {
      const { status, stderr } = await both.ask(args);
      assert.equal(status, 0, `${args.join(" ")}: ${stderr}`);
    }
  },
);

test("versions: a message that the server does not have yet is said to be one", { timeout: TIMEOUT_MS }, async () => {
  const server = variant({
    hash: "old0007",
    newerByMs: -60_000,
    edits: [{ find: /"session\.rename"/, replace: '"session.unheard"' }],
  });
  await using both = await pair(server, variant({ hash: "new0008", newerByMs: 60_000 }));
  const { status, stderr } = await both.ask(["rename", "fox", "otter"]);
  assert.equal(status, 125);
  assert.match(
    stderr,
    /^error: The server \w+ \(v\S+ old0007\) runs other code, which has no session\.rename\.\nwarren reload \w+\n$/,
  );
});
