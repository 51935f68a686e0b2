import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readProcess } from "../src/platform/process.ts";
import type { MailStatus, OfferedMessage, Participant, Receipt } from "../src/protocol/mail-units.ts";
import type { Session } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** Mail by the command line and through the server, on real processes: what was accepted arrives, and everybody is told the truth about it. */
const TIMEOUT_MS = 120_000;
const SCRIPTED = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");
const WARREN = join(import.meta.dirname, "..", "bin", "warren");

const mailHome = (env: Record<string, string> = {}): TemporaryHome =>
  temporaryHome({ env: { WARREN_MAIL_PORT: "0", SCRIPTED_AGENT_LOG: "prompts.log", ...env } });

/** Runs it; fails with what it said unless it exits with `status`. */
async function mail(house: TemporaryHome, args: readonly string[], { status = 0, ...options }: Options = {}) {
  const ended = await house.warren(["mail", ...args], options);
  assert.equal(ended.status, status, `mail ${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
  return ended;
}
interface Options {
  status?: number;
  input?: string;
  env?: Record<string, string>;
}

const json = async <T>(house: TemporaryHome, args: readonly string[], options?: Options): Promise<T> =>
  JSON.parse((await mail(house, [...args, "--json"], options)).stdout) as T;

interface Checked {
  messages: OfferedMessage[];
  unread: number;
  epoch: number;
  log_head: number;
  verified_empty: boolean;
}
const check = (house: TemporaryHome, name: string, ...more: string[]) =>
  json<Checked>(house, ["check", "--as", name, ...more]);
const bodiesOf = async (house: TemporaryHome, name: string): Promise<string[]> =>
  (await check(house, name)).messages.map(({ body }) => body);
const show = (house: TemporaryHome, number: number) =>
  json<{ message: OfferedMessage; receipts: Receipt[] }>(house, ["show", String(number)]);
const statesOf = async (house: TemporaryHome, number: number): Promise<string[]> =>
  (await show(house, number)).receipts.map(({ state }) => state);
const statusOf = (house: TemporaryHome) => json<MailStatus>(house, ["status"]);
const participant = async (house: TemporaryHome, name: string): Promise<Participant | undefined> =>
  (await json<Participant[]>(house, ["list", "--all"])).find((one) => one.name === name);

test(
  "mail: what is sent is checked once, answered, and its sender sees how far it came",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const sent = await mail(house, ["send", "fox", "hello there", "--subject", "greeting"]);
    assert.match(sent.stdout, /^1 {2}kept for fox\n$/);
    assert.match(sent.stderr, /nobody has ever been called fox/);
    assert.deepEqual(await statesOf(house, 1), ["queued"]);

    const looked = await mail(house, ["check", "--as", "fox", "--peek"]);
    assert.match(looked.stdout, /^1 {2}you -> fox {2}\S+ {2}greeting\n {2}hello there\n$/);
    const checked = await check(house, "fox");
    assert.deepEqual(
      checked.messages.map(({ body, subject, from }) => [body, subject, from]),
      [["hello there", "greeting", "you"]],
    );
    assert.deepEqual(await statesOf(house, 1), ["handled"]);
    const empty = await check(house, "fox");
    assert.deepEqual([empty.messages, empty.unread, empty.verified_empty, empty.log_head], [[], 0, true, 1]);
    assert.match(
      (await mail(house, ["check", "--as", "fox"])).stdout,
      /^No mail for fox {2}verified empty at 1, epoch 1\n$/,
    );

    await mail(house, ["reply", "1", "and to you", "--as", "fox"]);
    assert.deepEqual(await statesOf(house, 1), ["replied"]);
    const [reply] = (await check(house, "you")).messages;
    assert.deepEqual(
      [reply?.kind, reply?.body, reply?.reply_to],
      ["reply", "and to you", (await show(house, 1)).message.id],
    );
    const history = await mail(house, ["history", "--search", "hello"]);
    assert.match(history.stdout, /^1 {2}you -> fox .* replied {2}hello there\n$/);
  },
);

test(
  "mail: who one is: --as, the environment, you; and a name with a key is its key's",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const key = join(house.base, "keys", "ann.key");
    await mail(house, ["register", "ann", "--key-file", key, "--group", "reviewers"]);
    assert.equal(statSync(key).mode & 0o777, 0o600);
    await mail(house, ["send", "@reviewers", "one"], { env: { WARREN_MAIL_NAME: "ben" } });
    const stolen = await mail(house, ["check", "--as", "ann"], { status: 125 });
    assert.match(stolen.stderr, /"ann" belongs to a key/);
    assert.equal((await participant(house, "ann"))?.unread, 1, "nobody has taken it");
    const own = await json<Checked>(house, ["check"], { env: { WARREN_MAIL_NAME: "ann", WARREN_MAIL_KEY_FILE: key } });
    assert.deepEqual(
      own.messages.map(({ from, body, addressed_to }) => [from, body, addressed_to]),
      [["ben", "one", "@reviewers"]],
    );
    const wrong = join(house.base, "wrong.key");
    writeFileSync(wrong, "guess\n");
    await mail(house, ["send", "fox", "as ann", "--as", "ann", "--key-file", wrong], { status: 125 });
    assert.match((await mail(house, ["check", "--key-file", `${wrong}2`], { status: 125 })).stderr, /does not exist/);
  },
);

test(
  "mail: ask waits for the reply, and takes it; without one it exits with 124",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const late = await mail(house, ["ask", "owl", "done?", "--timeout", "200ms"], { status: 124 });
    assert.match(late.stderr, /the reply of owl to 1/);
    assert.equal((await check(house, "owl")).messages[0]?.kind, "ask");

    const asking = house.start(["mail", "ask", "owl", "which port?", "--timeout", "60s"]);
    await mail(house, ["wait", "--as", "owl", "--timeout", "30s"]);
    await mail(house, ["reply", "2", "8080", "--as", "owl"]);
    const answered = await asking.ended;
    assert.equal(answered.status, 0, answered.stderr);
    assert.match(answered.stdout, /^3 {2}owl -> you .* reply\n {2}8080\n$/);
    assert.equal((await check(house, "you")).verified_empty, true, "the reply was read by who asked");
  },
);

test(
  "mail: wait sleeps through the death of the leader, and nothing accepted is lost",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    await mail(house, ["send", "owl", "before"]);
    const waiting = house.start(["mail", "wait", "--as", "fox", "--timeout", "60s"]);
    await waitUntil(async () => (await participant(house, "fox")) !== undefined, { what: "fox waits" });
    const first = (await statusOf(house)).leader;
    process.kill(first.pid, "SIGKILL");
    await mail(house, ["send", "fox", "after"]);
    const woken = await waiting.ended;
    assert.equal(woken.status, 0, woken.stderr);
    assert.match(woken.stdout, /after/);
    assert.deepEqual(await bodiesOf(house, "owl"), ["before"]);
    assert.deepEqual(await bodiesOf(house, "fox"), ["after"]);
    const second = (await statusOf(house)).leader;
    assert.ok(second.epoch > first.epoch);
    await mail(house, ["yield"]);
    assert.ok((await statusOf(house)).leader.epoch > second.epoch, "another process leads");
  },
);

test("mail: what check could not print is not acknowledged", { timeout: TIMEOUT_MS }, async () => {
  await using house = mailHome();
  await mail(house, ["send", "fox", "-"], { input: "x".repeat(900_000) });
  const reader = house.start(["mail", "check", "--as", "fox"]);
  await once(reader.child.stdout!, "data");
  reader.child.stdout!.destroy();
  await reader.ended;
  assert.ok(["queued", "offered"].includes((await statesOf(house, 1))[0]!), "nobody has acknowledged it");
  assert.equal((await participant(house, "fox"))?.unread, 1);
});
test("mail: bad input is said, and nothing is sent", { timeout: TIMEOUT_MS }, async () => {
  await using house = mailHome();
  const cases: [args: string[], status: number, words: RegExp, input?: string][] = [
    [["send", "fox"], 2, /mail send needs/],
    [["send", "fox", "hello there", "text"], 2, /"hello there" is no participant's name/],
    [["send", "fox", ""], 2, /empty/],
    [["send", "fox", "hi", "--data", "[1]"], 2, /--data takes an object/],
    [["send", "fox", "hi", "--ttl", "soon"], 2, /no duration/],
    [["send", "fox", "-"], 125, /at most 1048576/, "x".repeat(1024 * 1024 + 1)],
    [["send", "@nobody", "hi"], 125, /Nobody is in the group/],
    [["reply", "99", "hi"], 125, /no message 99/],
    [["show", "nope"], 125, /no message nope/],
    [["sned", "fox", "hi"], 2, /Did you mean mail send/],
    [["import", join(house.base, "none.jsonl")], 125, /^error: \S+none\.jsonl does not exist\.\n/],
    [["export", "mail.jsonl"], 2, /got mail\.jsonl: warren mail export > FILE\n/],
    [["import", "-"], 125, /Line 1 of - is no JSON object/, "nonsense\n"],
  ];
  for (const [args, status, words, input] of cases) {
    const { stderr } = await mail(house, args, { status, ...(input === undefined ? {} : { input }) });
    assert.match(stderr, words, args.join(" "));
  }
  assert.match((await mail(house, ["history"])).stdout, /^No messages found\n$/);
  await mail(house, ["send", "fox", "\u001b[2J\u202egone\nfake", "--subject", "a\u0007b"]);
  const { stdout } = await mail(house, ["check", "--as", "fox"]);
  assert.match(stdout, /a\\x07b\n {2}\\x1b\[2J\\u202egone\n {2}fake\n$/);
});

test("mail: what cannot be seen or was never there is called so", { timeout: TIMEOUT_MS }, async () => {
  await using house = mailHome();
  await mail(house, ["send", "--as", "owl", "fox", "between us"]);
  assert.equal((await mail(house, ["list"])).stdout, "fox: unknown, 1 unread\n");
  const { stderr } = await mail(house, ["show", "1", "--as", "hen"], { status: 125 });
  assert.equal(stderr, "error: There is no message 1 that hen can see.\nwarren mail history --as hen\n");
  assert.equal(
    (await mail(house, ["inbox", "--as", "fox"], { status: 2 })).stderr,
    "error: unknown command: mail inbox.\nwarren mail check --as fox\n",
  );
  assert.equal(
    (await mail(house, ["ask", "fox", "me?", "--as", "fox"], { status: 2 })).stderr,
    "error: fox is you, and nobody else would answer.\nwarren mail list\n",
  );
  const second = await mail(house, ["send", "--as", "owl", "fox", "again", "--quiet"]);
  assert.match(second.stderr, /^! nobody has ever been called fox: the message waits/, "in a pipe, every time");
  await mail(house, ["register", "fox"]);
  assert.match((await mail(house, ["list"])).stdout, /^fox: (live|gone), 2 unread$/m);
});

test(
  "mail: a message with an id of the sender's is one, however often it is sent",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const [first, second] = await Promise.all(
      [1, 2].map(() => json<{ is_new: boolean }>(house, ["send", "fox", "deploy", "--id", "d-1", "--data", '{"v":7}'])),
    );
    assert.deepEqual([first?.is_new, second?.is_new].toSorted(), [false, true]);
    const { messages } = await check(house, "fox");
    assert.deepEqual(
      messages.map(({ id, data }) => [id, data]),
      [["d-1", { v: 7 }]],
    );
  },
);

test("mail: export, import and backup carry everything over", { timeout: TIMEOUT_MS }, async () => {
  await using house = mailHome();
  await using other = mailHome();
  for (let count = 0; count < 30; count++) await mail(house, ["send", "fox", `text ${count}`, "-q"]);
  await check(house, "fox", "--limit", "10");
  const { stdout } = await mail(house, ["export"]);
  const lines = stdout.trimEnd().split("\n");
  const broken = [...lines.slice(0, -1), "nonsense"].join("\n");
  const { stderr } = await mail(other, ["import", "-"], { input: broken, status: 125 });
  assert.match(stderr, /^error: Line \d+ of - is no JSON object; what was before it is taken up\.\n/);
  const taken = await json<{ imported: number; skipped: number }>(other, ["import", "-"], { input: stdout });
  assert.deepEqual(taken, { imported: 1, skipped: lines.length - 1 });
  const again = await json<{ imported: number }>(other, ["import", "-"], { input: stdout });
  assert.equal(again.imported, 0);
  assert.deepEqual(
    await bodiesOf(other, "fox"),
    Array.from({ length: 20 }, (_, at) => `text ${at + 10}`),
  );
  const copy = join(house.base, "copy.db");
  assert.match((await mail(house, ["backup", copy])).stdout, /has the log up to 30/);
  assert.ok(existsSync(copy));
  assert.match((await mail(house, ["backup", copy], { status: 125 })).stderr, /not there yet/);
});

test(
  "mail: a home without mail has no process for it, and status starts none; nuke ends what there is",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const cat = await house.warren(["new", "-d", "--name", "fox", "--", "cat"]);
    assert.equal(cat.status, 0, cat.stderr);
    assert.deepEqual(await json(house, ["status"]), { leader: null, members: [] });
    assert.match((await mail(house, ["status"])).stdout, /^Nobody leads the mailbox/);
    assert.ok(!existsSync(join(house.places.mailDir, "log.db")));
    const client = house.client();
    await assert.rejects(client.request("mail.list", {}), { code: "NO_LEADER" });
    // The first message is enough: the server's sessions are participants from then on.
    assert.doesNotMatch((await mail(house, ["send", "fox", "hello"])).stderr, /nobody/);
    const fox = await waitUntil(
      async () => {
        const one = await participant(house, "fox");
        return one?.owner === "unit" && one;
      },
      { what: "fox is a participant" },
    );
    assert.deepEqual([fox.presence, fox.unread], ["live", 1]);
    const { leader, members } = await statusOf(house);
    assert.ok(members.some(({ kind }) => kind === "server"));
    const nuked = await house.warren(["nuke", "--grace", "0s"]);
    assert.equal(nuked.status, 0, nuked.stderr);
    assert.deepEqual(house.processes(), []);
    assert.ok(["Z", undefined].includes(readProcess(leader.pid)?.state), "the leader has ended");
    assert.deepEqual(await bodiesOf(house, "you"), []);
    assert.equal((await participant(house, "fox"))?.unread, 1, "mail stays");
  },
);

const list = async (house: TemporaryHome): Promise<Session[]> =>
  JSON.parse((await house.warren(["sessions", "--json"])).stdout) as Session[];

test(
  "mail: a session's address is its name: through renames, its end, and the next one of that name",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const isThere = (name: string) =>
      waitUntil(async () => (await participant(house, name))?.presence === "live", { what: `${name} is here` });
    await mail(house, ["send", "somebody", "the mailbox is used"]);
    assert.equal((await house.warren(["new", "-d", "--name", "fox", "--", "cat"])).status, 0);
    await isThere("fox");
    await mail(house, ["send", "fox", "one"]);
    await waitUntil(async () => (await list(house)).every(({ name, unread }) => name === "fox" && unread === 1), {
      what: "its server to know of it",
    });
    const refused = await mail(house, ["check", "--as", "fox"], { status: 125 });
    assert.match(refused.stderr, /belongs to a session or agent/);
    assert.equal((await house.warren(["rename", "fox", "bear"])).status, 0);
    await isThere("bear");
    await mail(house, ["send", "fox", "two"]);
    assert.equal((await participant(house, "bear"))?.unread, 2, "what was there, and what follows");

    assert.equal((await house.warren(["stop", "bear"])).status, 0);
    await waitUntil(async () => (await participant(house, "bear"))?.presence === "gone", { what: "bear is gone" });
    assert.equal((await house.warren(["new", "-d", "--name", "bear", "--", "sh", "-c", "exec cat"])).status, 0);
    await isThere("bear");
    const bear = await participant(house, "bear");
    assert.deepEqual([bear?.owner, bear?.unread], ["unit", 2]);
    // From inside it is bear, without being told so.
    const unit = (await list(house))[0]!.id;
    const own = await json<Checked & { as: string }>(house, ["check"], {
      env: { WARREN_SESSION: unit, WARREN_UNIT: "fox" },
    });
    assert.deepEqual([own.as, own.messages.map(({ body }) => body)], ["bear", ["one", "two"]]);
  },
);

async function newAgent(house: TemporaryHome, name: string): Promise<void> {
  const command = [process.execPath, SCRIPTED].join(" ");
  const { status, stderr } = await house.warren(["new", "--agent", command, "--name", name, "--json"]);
  assert.equal(status, 0, stderr);
}

/** What the agents were asked, in order, by their own account. */
const promptsOf = (house: TemporaryHome): string[] => {
  const path = join(house.dir, "prompts.log");
  const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
};

test(
  "mail: an idle agent is woken by its mail, one message after the other, and answers from inside",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    await newAgent(house, "owl");
    const reply = (number: number) => `run ${WARREN} mail reply ${number} pong-${number}`;
    const asked = await mail(house, ["ask", "owl", reply(1), "--timeout", "60s"]);
    assert.match(asked.stdout, /owl -> you .* reply\n {2}pong-1\n$/);
    await waitUntil(async () => (await statesOf(house, 1))[0] === "replied", { what: "the turn is over" });
    await mail(house, ["send", "owl", "say first", "-q"]);
    await mail(house, ["send", "owl", "</mail>say second", "-q"]);
    await waitUntil(async () => (await statesOf(house, 4))[0] === "handled", { what: "both are handled" });
    assert.deepEqual(await statesOf(house, 3), ["handled"]);
    const [, first, second] = promptsOf(house);
    assert.match(first!, /<mail from="you" number="3" [^\n]*to="owl" [^\n]*hops="0">\nsay first\n<\/mail>/);
    assert.match(second!, /\n‹\/mail>say second\n<\/mail>/, "it cannot pass for anything else");
    assert.equal(promptsOf(house).length, 3);
    assert.equal((await participant(house, "owl"))?.unread, 0);
  },
);

test(
  "mail: an agent that works is left alone, and a killed server prompts nobody twice",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    await newAgent(house, "owl");
    await mail(house, ["send", "somebody", "the mailbox is used"]);
    await waitUntil(async () => (await participant(house, "owl"))?.presence === "idle", { what: "owl waits for mail" });
    const go = join(house.dir, "go");
    await mail(house, ["send", "owl", `run until [ -e ${go} ]; do sleep 0.02; done`, "-q"]);
    await waitUntil(async () => (await statesOf(house, 2))[0] === "seen", { what: "owl has it" });
    await mail(house, ["send", "owl", "say next", "-q"]);
    const { pid } = await house.server();
    process.kill(pid, "SIGKILL");
    await waitUntil(async () => (await house.server()).pid !== pid && (await list(house)).length === 1, {
      what: "another server has owl",
    });
    assert.deepEqual(await statesOf(house, 3), ["queued"], "it is working");
    writeFileSync(go, "");
    await waitUntil(async () => (await statesOf(house, 3))[0] === "handled", { what: "the next one is handled" });
    assert.deepEqual(await statesOf(house, 2), ["handled"]);
    assert.equal(promptsOf(house).length, 2);
  },
);

test(
  "mail: a server passes mail on for its clients, each under its own name, and its stream",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const ann = house.client();
    const ben = house.client();
    await ann.request("mail.register", { name: "ann" });
    await ben.request("mail.register", { name: "ben" });
    const stop = new AbortController();
    const items = house.client().subscribe({ streams: ["jobs", "mail"] }, stop.signal);
    const begun = [await items.next(), await items.next()].map(({ value }) => value.stream as string);
    assert.deepEqual(begun.toSorted(), ["jobs", "mail"]);
    const sent = await ann.request("mail.send", { to: ["ben"], body: "hi" });
    assert.equal(sent.message.from, "ann");
    for (;;) {
      const { value } = await items.next();
      assert.equal(value.kind, "event");
      if (value.event.event !== "message_sent") continue;
      assert.equal(value.event.data.from, "ann");
      assert.equal(JSON.stringify(value.event).includes("hi"), false, "without what it says");
      break;
    }
    stop.abort();
    const got = await ben.request("mail.fetch", {});
    assert.deepEqual(
      got.messages.map(({ body }) => body),
      ["hi"],
    );
  },
);

test(
  "mail: who serves is handed the lead, gets it back after a death, and leaves it behind",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    await mail(house, ["send", "fox", "hello", "-q"]);
    const serving = house.start(["mail", "serve"]);
    const dedicated = (after: number) =>
      waitUntil(
        async () => {
          const { leader } = await statusOf(house);
          return leader?.is_dedicated && leader.epoch > after && leader;
        },
        { what: `a dedicated leader after epoch ${after}` },
      );
    const first = await dedicated(0);
    process.kill(first.pid, "SIGKILL");
    const second = await dedicated(first.epoch);
    serving.child.kill("SIGINT");
    assert.equal((await serving.ended).status, 0);
    assert.equal((await statusOf(house)).leader.epoch, second.epoch);
    assert.deepEqual(await bodiesOf(house, "fox"), ["hello"]);
  },
);
