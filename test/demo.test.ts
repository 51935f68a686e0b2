import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { Job, Session } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** `npm start` as a stranger runs it, without a terminal: the story is told up to its question, and everything stays. */
const TIMEOUT_MS = 120_000;
const CHECKOUT = join(import.meta.dirname, "..");
const EXAMPLES = join(CHECKOUT, "examples");
const HEADLINE = "Nothing you start is lost.";

async function start(house: TemporaryHome): Promise<string> {
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: CHECKOUT,
    env: house.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.equal(status, 0, stderr);
  return stdout;
}

test(
  "demo: fox changes the page and writes to owl, owl asks, the server is killed, nothing is lost",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome({ env: { WARREN_GATEWAY_PORT: "0", WARREN_MAIL_PORT: "0" } });
    const told = await start(house);
    assert.match(told, /^◆ 🦉 owl +agent +needs you .* "Deploy the new page\?"$/m);
    assert.match(told, /^[○◉] 🦊 fox +agent +(idle|working) /m);
    const page = readFileSync(join(EXAMPLES, "site", "page.html"), "utf8");
    assert.ok(page.includes(`<title>${HEADLINE}</title>`) && page.includes(`<h1>${HEADLINE}</h1>`), page);
    const [url] = /^index: (http\S+)$/m.exec(told)!.slice(1);
    assert.ok(
      (await (await fetch(url!)).text()).startsWith(page.slice(0, page.indexOf("</body>"))),
      "the gateway serves it",
    );
    assert.match(told, /^web app: http:\/\/127\.0\.0\.1:\d+\/#t=\S+/m);
    const json = async <T>(...args: string[]): Promise<T> =>
      JSON.parse((await house.warren([...args, "--json"], { cwd: EXAMPLES })).stdout);
    const pids = async () =>
      (await json<Job[]>("list"))
        .flatMap(({ name, pid, status }) => (status === "running" ? [[name, pid]] : []))
        .toSorted();
    const tests = (await json<Job[]>("list")).find(
      ({ kind, command }) => kind === "job" && command.join(" ") === "npm test",
    );
    const { stdout: runs } = await house.warren(["runs", tests!.id, "--json"], { cwd: EXAMPLES });
    assert.deepEqual(
      (JSON.parse(runs) as { outcome: { status: number } }[]).map(({ outcome }) => outcome.status).toSorted(),
      [0, 1],
      "the tests failed once",
    );

    const { messages } = await json<{ messages: number }>("mail", "status");
    assert.equal(messages, 3, "two reviews asked for, one answer");
    const before = await pids();
    assert.equal(before.length, 7, "fox, owl, three jobs, two workers");
    const [owl] = (await json<Session[]>("sessions")).filter(({ name }) => name === "owl");
    process.kill((await house.server()).pid, "SIGKILL");
    assert.match(await start(house), /^◆ 🦉 owl +agent +needs you /m);
    assert.deepEqual(await pids(), before);

    const approved = await house.warren(["approve", "owl"]);
    assert.equal(approved.status, 0, approved.stderr);
    await waitUntil(async () => (await house.warren(["history", "owl"])).stdout.includes("\nDeployed."), {
      what: "what owl says then",
    });
    const { messages: mine } = await json<{ messages: { from: string; body: string }[] }>("mail", "check");
    assert.deepEqual(
      mine.map(({ from, body }) => `${from}: ${body}`),
      ["owl: the new page is deployed"],
    );
    assert.equal((await json<Session[]>("sessions")).find(({ id }) => id === owl!.id)?.state, "idle");
  },
);
