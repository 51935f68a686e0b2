import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryHome } from "./harness/home.ts";

const TIMEOUT_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

test(
  "mail prune: removes what is over, says what, asks nobody who is no terminal, and refuses nonsense",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    const run = async (args: string[], { status = 0, input = "" } = {}): Promise<string> => {
      const ended = await house.warren(["mail", ...args], { input });
      assert.equal(ended.status, status, `mail ${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
      return status === 0 ? ended.stdout : ended.stderr;
    };
    const nowMs = Date.now();
    const message = (seq: number, daysAgo: number, state: string) => {
      const at_ms = nowMs - daysAgo * DAY_MS;
      const delivery = { recipient: "fox", state, at_ms, offers: 1, expires_at_ms: at_ms + 7 * DAY_MS };
      const text = { subject: "build", body: `word ${seq}` };
      return {
        row: "message",
        seq,
        id: `m${seq}`,
        sender: "owl",
        kind: "message",
        sent_at_ms: at_ms,
        thread: `m${seq}`,
        ...text,
        deliveries: [delivery],
      };
    };
    const rows = [
      message(1, 100, "handled"),
      message(2, 90, "seen"),
      message(3, 50, "expired"),
      message(4, 10, "replied"),
      message(5, 9, "handled"),
    ];
    await run(["import", "-"], { input: rows.map((row) => JSON.stringify(row)).join("\n") });

    assert.equal(await run(["prune", "--dry-run"]), "2 messages (22 B) would be removed\n");
    assert.deepEqual(JSON.parse(await run(["prune", "--older-than", "60d", "--dry-run", "--json"])), {
      messages: 1,
      bytes: 11,
      dry_run: true,
    });
    assert.match(await run(["prune", "--older-than", "1h"], { status: 2 }), /less than a day/);
    assert.match(await run(["prune", "--older-than", "soon"], { status: 2 }), /no duration/);
    assert.equal(await run(["prune"]), "2 messages (22 B) removed\n");
    assert.equal(await run(["prune"]), "Nothing is over for 30d\n");
    const left = async (...more: string[]): Promise<number[]> =>
      (
        JSON.parse(await run(["history", "--json", "--as", "owl", ...more])).messages as { message: { seq: number } }[]
      ).map(({ message }) => message.seq);
    assert.deepEqual(await left(), [5, 4, 2]);
    assert.deepEqual(await left("--search", "word"), [5, 4, 2]);
    assert.deepEqual(JSON.parse(await run(["prune", "--older-than", "1d", "--yes", "--json"])), {
      messages: 1,
      bytes: 11,
      dry_run: false,
    });
    assert.deepEqual(await left(), [5, 2], "the newest stays");
    const { stdout } = await house.warren(["mail", "send", "fox", "next", "--json"]);
    assert.equal(JSON.parse(stdout).message.seq, 6);
  },
);

test("mail show: a message is found by its id, however old", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
  const client = house.client();
  await client.request("mail.send", { as: "ann", to: ["fox"], body: "the one", message_id: "build-17" });
  await Promise.all(
    Array.from({ length: 1_200 }, () => client.request("mail.send", { as: "ann", to: ["owl"], body: "another" })),
  );
  const { status, stdout, stderr } = await house.warren(["mail", "show", "build-17", "--as", "ann", "--json"]);
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).message.body, "the one");
  assert.equal((await house.warren(["mail", "show", "build-18", "--as", "ann"])).status, 125);
});
