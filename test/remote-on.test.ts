import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { thisInstallation, variant } from "./harness/build-copy.ts";
import { killProcess } from "./harness/processes.ts";
import { missingIn, shapeOf } from "./harness/shape.ts";
import { TwoHomes } from "./harness/two-homes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { type Ended, well } from "./harness/warren.ts";

/** `--on` for every kind of verb: what it says there is what it says at home. */

async function paired(scopes?: string): Promise<TwoHomes> {
  const homes = new TwoHomes();
  await homes.pair(await homes.startHub(), scopes);
  return homes;
}

const facts = ({ stdout, stderr }: Ended): { code: string; error: string; fix: string } => JSON.parse(stderr || stdout);

test("devices: who may steer this machine, and which ones it may steer", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub());
  const here = await homes.here.warren(["devices"]);
  assert.equal(here.stdout, `No device may steer this machine\nThis machine may steer ${homes.name}\n`);
  const there = await homes.there.warren(["devices"]);
  assert.doesNotMatch(there.stdout, /may steer/);
});

test("on: what looks says the same there as at home, in JSON and in words", async () => {
  await using homes = await paired();
  const { there } = homes;
  well(await there.warren(["run", "-q", "--name", "twice", "--", "sh", "-c", "echo out; echo err >&2; exit 0"]));
  well(await there.warren(["add", "--name", "web", "--", "sleep", "300"]));
  well(await there.warren(["new", "-d", "--name", "fox", "--", "sh", "-c", "echo shown; exec cat"]));
  well(await there.warren(["new", "-d", "--name", "hen", "--", "sh", "-c", "echo short; exit 4"]));
  well(await there.warren(["mail", "send", "fox", "hello"]));
  await there.warren(["wait", "hen"]);
  const looks = [
    ["list"],
    ["sessions"],
    ["sessions", "--all"],
    ["servers"],
    ["status"],
    ["overview"],
    ["ping"],
    ["runs", "twice"],
    ["stats", "twice"],
    ["why", "twice"],
    ["why", "hen"],
    ["logs", "twice"],
    ["logs", "hen"],
    ["ports", "web"],
    ["gateway", "status", "--all"],
    ["devices"],
    ["hubs"],
    ["mail", "list"],
    ["mail", "status"],
    ["mail", "history"],
    ["mail", "check", "--peek"],
  ];
  for (const args of looks) {
    const wanted = await there.warren([...args, "--json"]);
    const found = await homes.on(...args, "--json");
    assert.deepEqual([found.status, found.stderr], [wanted.status, wanted.stderr], args.join(" "));
    // A socket for looking into a process is of no use elsewhere.
    const [shape, golden] = [found, wanted].map(({ stdout }) =>
      shapeOf(parsed(stdout.replace(/^.*"debug_socket".*\n/m, ""))),
    );
    assert.equal(missingIn(shape, golden!, args.join(" ")), undefined);
  }
  for (const args of [
    ["logs", "twice"],
    ["stdout", "twice"],
    ["stderr", "twice"],
    ["history", "hen"],
    ["export", "hen", "-"],
  ]) {
    const wanted = await there.warren(args);
    const found = await homes.on(...args);
    assert.deepEqual([found.stdout, found.stderr], [wanted.stdout, wanted.stderr], args.join(" "));
    assert.notEqual(wanted.stdout + wanted.stderr, "");
  }
  assert.equal((await homes.on("wait", "hen")).status, 4);
  assert.equal(homes.here.processes("server").length, 0, "nothing was started here");
});

/** One text, or a line each. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }
};

test("on: run exits as the command did, with no hub for a time, or with nobody who reads what is printed", async () => {
  await using homes = new TwoHomes();
  const address = await homes.startHub();
  await homes.pair(address);
  const gate = join(homes.there.base, "gate");
  execFileSync("mkfifo", [gate]);
  const begin = async (name: string, more = "") => {
    const script = `echo begun; read line < ${gate}; ${more} echo "$line"; exit 7`;
    const run = homes.here.start(["--on", homes.name, "run", "-q", "-f", "--name", name, "--", "sh", "-c", script]);
    await run.shows(/begun/);
    return run;
  };
  const unread = await begin("owl", "seq 20000; sleep 0.2;");
  unread.child.stdout!.destroy();
  writeFileSync(gate, "over\n");
  assert.deepEqual([(await unread.ended).status, (await unread.ended).stderr], [7, ""]);
  const run = await begin("fox");
  const [hub] = homes.hubs;
  hub!.child.kill("SIGKILL");
  await hub!.ended;
  const first = await Promise.race([run.ended, homes.startHub(homes.there, Number(new URL(address).port))]);
  assert.equal(first, address, "it waits");
  writeFileSync(gate, "over\n");
  const { status, stdout } = await run.ended;
  assert.deepEqual([status, stdout], [7, "[fox] begun\n[fox] over\n"]);
});

test("on: run exits as the command did there, with its output, its environment and its directories", async () => {
  await using homes = await paired();
  const failed = await homes.on("run", "-q", "--", "sh", "-c", 'pwd; echo "$HOME" >&2; exit 3');
  assert.deepEqual(
    [failed.status, failed.stdout, failed.stderr],
    [3, `${homes.there.base}\n`, `${homes.there.base}\n`],
  );
  assert.equal((await homes.on("run", "-q", "--dir", "~/project", "--", "sh", "-c", "kill -9 $$")).status, 137);
  assert.equal((await homes.on("run", "-q", "--timeout", "100ms", "sleep", "30")).status, 124);
  assert.equal((await homes.on("run", "nonesuch")).status, 127);
  const followed = await homes.on("run", "-q", "--follow", "--name", "said", "--", "sh", "-c", "echo one; printf two");
  assert.deepEqual([followed.status, followed.stdout], [0, "[said] one\n[said] two\n"]);
  // The end of a long failure, and how much was left out.
  const long = await homes.on(
    "run",
    "-q",
    "--name",
    "long",
    "--max-bytes",
    "100k",
    "--",
    "sh",
    "-c",
    "seq 1 200000; exit 1",
  );
  assert.match(long.stdout, /^\d+\n[\s\S]*\n200000\n$/);
  assert.ok(long.stdout.length <= 100 * 1024 && long.stdout.length > 99 * 1024, `${long.stdout.length}`);
  const total = (await homes.on("stdout", "long")).stdout.length;
  assert.equal(total, Array.from({ length: 200_000 }, (_, at) => `${at + 1}\n`).join("").length);
  const there = await homes.there.warren(["logs", "long", "--max-bytes", "100k"]);
  assert.equal(there.stdout, long.stdout);
  // What was added by another machine is started again without an environment of one's own.
  well(await homes.on("add", "--name", "idle", "--dir", homes.there.dir, "--", "sh", "-c", "exec sleep 300"));
  well(await homes.on("stop", "idle"));
  assert.match(well(await homes.on("start", "idle")), /Started job idle/);
  assert.match(well(await homes.on("restart", "idle")), /Restarted job idle/);
  const nowhere = await homes.on("add", "--dir", "project", "true");
  assert.deepEqual([nowhere.status, /--dir project begins nowhere/.test(nowhere.stderr)], [2, true], nowhere.stderr);
});

test("on: a run is awaited, and a terminal stays attached, while the hub and the server are killed", async () => {
  await using homes = await paired();
  const port = Number(new URL(String(JSON.parse(well(await homes.on("hubs", "--json")))[0].addresses[0])).port);
  const gate = join(homes.there.dir, "go");
  const script = `echo one; while [ ! -e ${gate} ]; do sleep 0.05; done; echo two; exit 7`;
  const run = homes.here.start(["--on", homes.name, "run", "-q", "-f", "--name", "gated", "--", "sh", "-c", script]);
  await run.shows(/one/);
  well(await homes.on("new", "-d", "--name", "fox", "--", "sh", "-c", "stty -echo; echo ready; exec cat"));
  await waitUntil(async () => (await homes.on("history", "fox")).stdout.includes("ready"), { what: "fox is ready" });
  const { bin } = thisInstallation();
  const attached = spawn(bin, ["attach", `fox@${homes.name}`], {
    env: homes.here.env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  let seen = "";
  attached.stdout.on("data", (bytes) => {
    seen += bytes;
  });
  const left = once(attached, "close");
  const type = (from: number, to: number): void => {
    for (let at = from; at < to; at++) attached.stdin.write(`line-${at}\n`);
  };
  type(0, 20);
  await waitUntil(() => seen.includes("line-19"), { what: "it is attached" });
  homes.hubs[0]!.child.kill("SIGKILL");
  await homes.hubs[0]!.ended;
  type(20, 40); // nobody hears it yet
  await killProcess(await homes.there.server());
  await homes.startHub(homes.there, port);
  type(40, 60);
  attached.stdin.write("\x04"); // the end of cat's input
  writeFileSync(gate, "");
  const ended = await run.ended;
  assert.deepEqual([ended.status, ended.stdout], [7, "[gated] one\n[gated] two\n"]);
  const [status] = await left;
  assert.deepEqual([status, seen.match(/line-\d+/g)], [0, Array.from({ length: 60 }, (_, at) => `line-${at}`)]);
});

test("on: sessions of all servers of that home, and a verb finds the server that has one", async () => {
  await using homes = await paired();
  well(await homes.there.warren(["new", "-d", "--name", "old", "--", "cat"]));
  const from = variant({ hash: "newer01", newerByMs: 1_000 });
  well(await homes.there.warren(["new", "-d", "--name", "young", "--", "cat"], { from }));
  const listed = await waitUntil(
    async () => {
      const { status, stdout } = await homes.on("sessions", "--json");
      const sessions = status === 0 ? (JSON.parse(stdout) as Session[]) : [];
      return sessions.length === 2 ? sessions : undefined;
    },
    { what: "both, once the new primary has a link" },
  );
  assert.deepEqual(listed.map(({ name }) => name).sort(), ["old", "young"]);
  assert.equal(new Set(listed.map(({ server }) => server)).size, 2);
  assert.equal(Object.keys(JSON.parse(well(await homes.on("servers", "--json")))).length, 2);
  for (const name of ["old", "young"]) {
    well(await homes.on("send", name, `hello ${name}\\n`));
    await waitUntil(async () => (await homes.on("history", name)).stdout.includes(`hello ${name}`), { what: name });
  }
  const moved = JSON.parse(well(await homes.on("move", "old", "--json"))) as Session;
  assert.equal(moved.server, listed.find(({ name }) => name === "young")!.server);
});

test("on: mail of that machine is sent, waited for, watched, asked and answered", async () => {
  await using homes = await paired();
  well(await homes.on("mail", "send", "kim", "from afar", "--as", "anna"));
  assert.match(await homes.there.warren(["mail", "check", "--as", "kim"]).then(well), /anna.*from afar|from afar/s);
  const address = await homes.here.warren(["mail", "send", `kim@${homes.name}`, "by address"]);
  assert.equal(address.status, 125);
  assert.ok(
    address.stderr.endsWith(`\nwarren --on ${homes.name} mail send kim …      # through its hub\n`),
    address.stderr,
  );
  const watching = homes.here.start(["--on", homes.name, "mail", "watch", "--as", "anna", "--json"]);
  await waitUntil(
    async () => {
      well(await homes.there.warren(["mail", "send", "pat", "tick", "--as", "anna"]));
      return watching.output().includes("tick");
    },
    { what: "it watches" },
  );
  const waiting = homes.here.start(["--on", homes.name, "mail", "wait", "--as", "anna", "--timeout", "30s"]);
  well(await homes.there.warren(["mail", "send", "anna", "here I am", "--as", "kim"]));
  assert.equal((await waiting.ended).status, 0);
  assert.match(well(await homes.on("mail", "check", "--as", "anna")), /here I am/);
  assert.match(well(await homes.on("mail", "check", "--as", "anna")), /No mail for anna/);
  const asking = homes.here.start([
    "--on",
    homes.name,
    "mail",
    "ask",
    "kim",
    "done?",
    "--as",
    "anna",
    "--timeout",
    "30s",
  ]);
  const asked = await waitUntil(
    async () => {
      const { messages } = JSON.parse((await homes.there.warren(["mail", "check", "--as", "kim", "--json"])).stdout);
      return messages[0]?.seq as number | undefined;
    },
    { what: "the question" },
  );
  well(await homes.there.warren(["mail", "reply", String(asked), "yes", "--as", "kim"]));
  assert.match(well(await asking.ended), /yes/);
  await watching.shows(/here I am/);
  watching.child.kill("SIGINT");
  await watching.ended;
});

test("on: a device that may only look is told which scope is missing, and how it is given", async () => {
  await using homes = await paired("view");
  well(await homes.there.warren(["new", "-d", "--name", "fox", "--", "cat"]));
  const cases = [
    [["stop", "--json", "fox"], "admin", "view,admin"],
    [["add", "--json", "true"], "admin", "view,admin"],
    [["mail", "send", "--json", "fox", "x"], "type", "view,type"],
    [["send", "--json", "fox", "x"], "type", "view,type"],
  ] as const;
  for (const [args, scope, wanted] of cases) {
    const { code, error, fix } = facts(await homes.on(...args));
    assert.equal(code, "FORBIDDEN", args.join(" "));
    assert.match(
      error,
      new RegExp(`^The device .* may not .* on that machine .*: that takes ${scope}, and it has view\\.`),
    );
    assert.match(fix, new RegExp(`^warren devices scopes .* ${wanted} .*# on ${homes.name}$`));
  }
  const attach = await homes.on("attach", "fox");
  assert.match(attach.stderr, new RegExp(`To look only needs none\\.\nwarren --on ${homes.name} attach --view fox`));
  const here = facts(await homes.on("reload", "--json"));
  assert.deepEqual(
    [here.code, here.fix],
    ["REMOTE_NOT_POSSIBLE", `warren --on ${homes.name} run --dir DIR --follow -- warren reload --json`],
  );
});

test("on: names, addresses and what completes them", async () => {
  await using homes = await paired();
  const { name, here, there } = homes;
  well(await there.warren(["add", "--name", "web", "--", "sleep", "300"]));
  assert.match(well(await here.warren(["why", `web@${name}`])), /web is running/);
  assert.equal((await here.warren(["stop", `web@${name}`, "api"])).status, 2);
  const near = facts(await here.warren(["--on", `${name}x`, "list", "--json"]));
  assert.deepEqual([near.code, near.fix], ["MACHINE_NOT_FOUND", `warren --on ${name} list`]);
  const missing = facts(await homes.on("stop", "wbe", "--json"));
  assert.deepEqual([missing.code, missing.fix], ["JOB_NOT_FOUND", `warren --on ${name} list --all`]);
  const words = async (...typed: string[]): Promise<string[]> =>
    (await here.warren(["__complete", "--", ...typed])).stdout.split("\n").map((line) => line.split("\t")[0]!);
  assert.ok((await words("--on", "")).includes(name));
  assert.ok((await words("--on", name, "stop", "")).includes("web"));
  assert.ok((await words("stop", "web@")).includes(`web@${name}`));
  // Cut off: whoever redials is told so, and not that the machine is away.
  well(await there.warren(["devices", "revoke", JSON.parse(well(await homes.on("devices", "--json")))[0].name]));
  assert.equal(facts(await homes.on("list", "--json")).code, "DEVICE_REFUSED");
  // A machine that is no device of another knows itself by its name.
  assert.match(well(await there.warren(["--on", hostname(), "list"])), /web/);
});

test("on: workers of that machine are steered, and what they say is followed from one instance to the next", async () => {
  await using homes = new TwoHomes({ WARREN_GATEWAY_PORT: "0" });
  await homes.pair(await homes.startHub());
  well(await homes.there.warren(["init"]));
  const main = join(homes.there.dir, "workers/api/src/main.ts");
  writeFileSync(main, `console.log("said by", process.pid);\n${readFileSync(main, "utf8")}`);
  well(await homes.there.warren(["up", "--detach"]));
  well(await homes.on("wait", "api", "--for", "healthy", "--timeout", "30s"));
  assert.match(well(await homes.on("gateway")), /api .*healthy/);
  const first = await waitUntil(async () => /said by \d+/.exec((await homes.on("logs", "api")).stdout)?.[0], {
    what: "what it has said",
  });
  const here = well(await homes.there.warren(["logs", "api"]));
  assert.equal(well(await homes.on("logs", "api")), here);
  assert.match(well(await homes.on("why", "api")), new RegExp(`api is healthy[\\s\\S]*${first}`));
  const following = homes.here.start(["logs", "-f", `api@${homes.name}`]);
  await following.shows(new RegExp(first));
  well(await homes.on("gateway", "restart", "api", "--wait", "30s"));
  const both = await following.shows(/said by \d+[\s\S]*said by \d+/);
  assert.equal(new Set(both.match(/said by \d+/g)).size, 2);
  following.child.kill("SIGINT");
  assert.equal((await following.ended).status, 130);
  const stopped = JSON.parse(well(await homes.on("gateway", "stop", "api", "--wait", "30s", "--json")));
  assert.equal(stopped.state, "stopped");
});
