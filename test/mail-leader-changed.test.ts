import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MailHome } from "./harness/mail.ts";
import { killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** `mail.on_leader_changed` of config.yaml, with real leaders that are really killed. */

const TIMEOUT_MS = 60_000;

/** A home in which the command is `command`, with lines of a file that it appends to. */
function homeWith(mail: MailHome, command: string): () => string[] {
  mkdirSync(mail.house.home, { recursive: true, mode: 0o700 });
  writeFileSync(join(mail.house.home, "config.yaml"), `mail:\n  on_leader_changed: ${JSON.stringify(command)}\n`);
  const file = join(mail.house.base, "told");
  return () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []);
}

function logged(mail: MailHome, event: string): Record<string, unknown>[] {
  const lines = readFileSync(mail.house.places.mailLeaderLog, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
}

test(
  "on_leader_changed: runs once for each change, with who leads since when and why",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const told = homeWith(
      mail,
      'echo "$WARREN_MAIL_EPOCH $WARREN_MAIL_PID $WARREN_MAIL_REASON gap=$WARREN_MAIL_GAP_MS $PWD" >> ~/told; echo said',
    );
    const client = mail.client();
    await client.request("mail.send", { as: "ann", to: ["bob"], body: "first" });
    for (let kill = 0; kill < 3; kill++) {
      await mail.standby(client);
      const leader = await mail.leader();
      await waitUntil(() => told().length === kill + 1, { what: `the command, ${kill + 1} times: ${told()}` });
      killProcess(leader);
      await client.request("mail.send", { as: "ann", to: ["bob"], body: `${kill}` });
    }
    await client.request("mail.yield", {});
    await waitUntil(() => logged(mail, "on_leader_changed").length === 5, { what: "the end of all of them" });
    const leaders = mail.leaders().toReversed();
    const lines = told().map((line) => line.split(" "));
    assert.deepEqual(
      lines.map(([epoch, pid]) => [Number(epoch), Number(pid)]),
      leaders.map(({ epoch, pid }) => [epoch, pid]),
    );
    assert.deepEqual(
      lines.map(([, , reason]) => reason),
      ["started", "taken_over", "taken_over", "taken_over", "handed_over"],
    );
    assert.equal(lines[0]![3], "gap=");
    for (const [, , , gap] of lines.slice(1)) assert.match(gap!, /^gap=\d+$/);
    assert.ok(lines.every(([, , , , dir]) => dir === mail.house.base));
    assert.deepEqual(
      [...new Set(logged(mail, "on_leader_changed").map(({ output, status }) => `${output} ${status}`))],
      ["said 0"],
    );
  },
);

test(
  "on_leader_changed: goes on when its leader dies, holds up no send, and the next one waits for its end",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    const told = homeWith(
      mail,
      "echo begin $WARREN_MAIL_EPOCH >> ~/told; mkfifo ~/go$WARREN_MAIL_EPOCH; read line < ~/go$WARREN_MAIL_EPOCH; echo end $WARREN_MAIL_EPOCH >> ~/told",
    );
    const client = mail.client();
    const go = (epoch: number): void => writeFileSync(join(mail.house.base, `go${epoch}`), "on\n");
    await client.request("mail.send", { as: "ann", to: ["bob"], body: "one" });
    await waitUntil(() => told().length === 1, { what: "the first command" });
    await mail.standby(client);
    killProcess(await mail.leader());
    await client.request("mail.send", { as: "ann", to: ["bob"], body: "two" });
    assert.equal((await mail.status(client)).leader.epoch, 2);
    await waitUntil(() => logged(mail, "on_leader_changed_waits").length === 1, {
      what: "the second one, which waits",
    });
    assert.deepEqual(told(), ["begin 1"]);
    go(1);
    await waitUntil(() => told().length === 3, { what: "the second command" });
    await waitUntil(() => existsSync(join(mail.house.base, "go2")), { what: "its pipe" });
    go(2);
    await waitUntil(() => logged(mail, "on_leader_changed").length === 2, { what: "the end of both" });
    assert.deepEqual(told(), ["begin 1", "end 1", "begin 2", "end 2"]);
  },
);

test(
  "on_leader_changed: a failure, and a config.yaml that is wrong, are said in the mail log",
  { timeout: TIMEOUT_MS },
  async () => {
    await using mail = new MailHome();
    homeWith(mail, "echo out; echo err >&2; exit 3");
    const client = mail.client();
    await client.request("mail.send", { as: "ann", to: ["bob"], body: "one" });
    const [failed] = await waitUntil(
      () => {
        const found = logged(mail, "on_leader_changed_failed");
        return found.length > 0 && found;
      },
      { what: "the failure" },
    );
    assert.deepEqual([failed!.epoch, failed!.status, failed!.level], [1, 3, "warn"]);
    assert.deepEqual(String(failed!.output).split("\n").toSorted(), ["err", "out"]);
    writeFileSync(join(mail.house.home, "config.yaml"), "mail: { on_leader_changed: [1, 2] }\n");
    await client.request("mail.yield", {});
    const [wrong] = await waitUntil(
      () => {
        const found = logged(mail, "config_invalid");
        return found.length > 0 && found;
      },
      { what: "that the file is wrong" },
    );
    assert.match(String(wrong!.error), /mail\.on_leader_changed/);
    assert.equal((await mail.status(client)).leader.epoch, 2);
  },
);
