import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Gateway, Worker } from "../src/protocol/gateway-units.ts";
import { Site, saying } from "./harness/site.ts";
import { missingForSsh, SshHost } from "./harness/ssh-host.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Ended } from "./harness/warren.ts";

/** `warren gateway deploy` to a real sshd: what arrives, what is switched, and what is left when something goes wrong. */
const OPTIONS = { timeout: 120_000, skip: missingForSsh() };

const INDEX = "workers/index/src/main.ts";
const API = "workers/api/src/main.ts";
const FILES = {
  "warren.yaml": "gateway: { port: 0 }\n",
  [INDEX]: saying("one"),
  [API]: saying("api"),
  "workers/api/worker.yaml": "env_file: my.env\nprobation: 1s\n",
  "workers/api/my.env": "GREETING=hello\n",
  "workers/api/private/secret.txt": "not for others\n",
  "workers/tool/worker.yaml": "command: node serve.mjs\n",
  "workers/tool/serve.mjs": saying("tool").replace(": string", ""),
  "workers/tool/node_modules/x/index.js": "\n",
  "server/public/a page.txt": "the first page\n",
};
/** In a folder with a blank in its name. */
const THERE = "srv/my site";

/** A project here and a machine there. */
class Deployment implements AsyncDisposable {
  readonly site: Site;
  readonly host: SshHost;

  static async make(files: Record<string, string> = FILES, yaml = ""): Promise<Deployment> {
    const host = await SshHost.start();
    const deployment = new Deployment(await Site.make(files), host);
    deployment.configure(yaml);
    return deployment;
  }

  private constructor(site: Site, host: SshHost) {
    this.site = site;
    this.host = host;
  }

  configure(yaml = "", hosts = `  - { host: there, path: "${THERE}" }\n`): void {
    const { warren, configPath } = this.host;
    this.site.write(
      "config/deployment.yaml",
      `hosts:\n${hosts}ssh_config: ${JSON.stringify(configPath)}\n${yaml.includes("warren:") ? "" : `warren: ${warren}\n`}${yaml}`,
    );
  }

  get dir(): string {
    return join(this.host.house.base, THERE);
  }

  there(path: string): string {
    return join(this.dir, path);
  }

  deploy(...args: string[]): Promise<Ended> {
    return this.site.house.warren(["gateway", "deploy", ...args]);
  }

  async deployed(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.deploy(...args);
    assert.equal(status, 0, `${stdout}${stderr}${this.host.house.logs()}`);
    return stdout;
  }

  async gateway(): Promise<Gateway> {
    const { gateways } = await this.host.house.looker().request("gateway.status", { workdir: this.dir });
    assert.equal(gateways.length, 1);
    return gateways[0]!;
  }

  async worker(name: string): Promise<Worker> {
    return (await this.gateway()).workers.find((worker) => worker.name === name)!;
  }

  async text(path: string): Promise<string> {
    const { port } = await this.gateway();
    return get(port, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
  }
}

test(
  "deploy: to an empty folder, then one worker alone; rollback there; what is gone here goes there",
  OPTIONS,
  async () => {
    await using one = await Deployment.make();
    const dry = await one.deployed("--dry-run");
    assert.match(dry, /^index: version [0-9a-f]{12}, built here$/m);
    assert.match(dry, /^tool: its folder, as it is$/m);
    assert.ok(!existsSync(one.dir), "a dry run touches nothing there");
    const said = await one.deployed();
    assert.match(said, /^there: 3 workers healthy at http/m);
    const { mode, workers } = await one.gateway();
    assert.deepEqual([mode, workers.map(({ state }) => state)], ["prod", ["healthy", "healthy", "healthy"]]);
    assert.match(await one.text("/"), /^one/);
    assert.match(await one.text("/tool"), /^tool/);
    assert.equal(await one.text("/a%20page.txt"), "the first page\n");
    for (const gone of [INDEX, "workers/api/private", "workers/tool/node_modules", ".warren-deploy/incoming"])
      assert.ok(!existsSync(one.there(gone)), gone);
    assert.equal(readFileSync(one.there("workers/api/my.env"), "utf8"), "GREETING=hello\n");
    // One of them changes.
    const [first, api, tool] = await Promise.all(["/", "/api", "/tool"].map((path) => one.text(path)));
    one.site.write(INDEX, saying("two"));
    rmSync(join(one.site.house.dir, "server/public/a page.txt"));
    await one.deployed("there");
    assert.match(await one.text("/"), /^two/);
    assert.notEqual(pidIn(await one.text("/")), pidIn(first!));
    assert.deepEqual([pidIn(await one.text("/api")), pidIn(await one.text("/tool"))], [pidIn(api!), pidIn(tool!)]);
    assert.ok(!existsSync(one.there("server/public")), "a folder that is empty goes too");
    // Back, there.
    const back = await one.host.house.warren(["gateway", "rollback", "index", "--wait", "20s"], { cwd: one.dir });
    assert.equal(back.status, 0, back.stderr);
    assert.match(await one.text("/"), /^one/);
    await one.deployed();
    assert.match(await one.text("/"), /^two/, "the next deploy goes forth again");
    rmSync(join(one.site.house.dir, "workers/api"), { recursive: true });
    await one.deployed();
    await waitUntil(async () => (await one.text("/api")).startsWith("two"), { what: "the end of the worker" });
    assert.ok(!existsSync(one.there("workers/api")));
  },
);

test(
  "deploy: a version that does not come up is taken back with all that came with it, and no request fails",
  OPTIONS,
  async () => {
    await using one = await Deployment.make({ ...FILES, "server/public/x.txt": "old" });
    await one.deployed();
    const { port } = await one.gateway();
    const load = new Load(port, ["/", "/api", "/x.txt"]);
    one.site.write(INDEX, saying("two"));
    one.site.write(API, 'console.error("no database at all");\nprocess.exit(3);\n');
    one.site.write("server/public/x.txt", "new");
    one.site.write("server/public/y.txt", "new");
    const { status, stdout, stderr } = await one.deploy();
    const answers = await load.end();
    assert.equal(status, 1, stdout);
    assert.match(stderr, /On there, api is degraded: .*there serves again what it served before\./);
    assert.match(stderr, /^api \| no database at all$/m);
    assert.match(await one.text("/"), /^one/);
    assert.match(await one.text("/api"), /^api/);
    assert.equal(await one.text("/x.txt"), "old");
    assert.ok(!existsSync(one.there("server/public/y.txt")));
    assert.deepEqual(
      (await one.gateway()).workers.map(({ state }) => state),
      ["healthy", "healthy", "healthy"],
    );
    assert.ok(answers.count > 10);
    assert.deepEqual(answers.failures, []);
    assert.ok(!existsSync(one.there(".warren-deploy/journal.json")));
  },
);

test("deploy: the first one that is not healthy leaves nothing there", OPTIONS, async () => {
  await using one = await Deployment.make({ [INDEX]: "process.exit(4);\n" });
  const { status, stderr } = await one.deploy("--json");
  assert.equal(status, 1, stderr);
  assert.ok(!existsSync(one.there("workers")));
  const { gateways } = await one.host.house.client().request("gateway.status", {});
  assert.deepEqual(gateways, []);
});

test("deploy: a hook that fails stops it at its place", OPTIONS, async () => {
  await using one = await Deployment.make();
  await one.deployed();
  one.site.write(INDEX, saying("two"));
  const failing = async (hook: string): Promise<string> => {
    one.configure(`hooks:\n  ${hook}: ["echo told", "exit 9"]\n`);
    const { status, stderr } = await one.deploy();
    assert.equal(status, hook === "pre-build" ? 125 : 1, stderr);
    assert.match(stderr, new RegExp(`^told\n[\\s\\S]*The ${hook} hook .*ended with status 9`));
    assert.match(await one.text("/"), /^one/);
    return stderr;
  };
  await failing("pre-build");
  assert.ok(readdirSync(join(one.site.house.dir, "workers/index/bin")).every((name) => !/two/.test(name)));
  await failing("pre-deploy");
  assert.match(await failing("post-deploy"), /there serves again what it served before/);
  one.configure('hooks: { post-deploy: "test \\"$DEPLOY_NAME\\" = there" }\n');
  await one.deployed();
  assert.match(await one.text("/"), /^two/);
});

test("deploy: a host that is not reached, one without Warren; the hosts before them have it", OPTIONS, async () => {
  await using one = await Deployment.make();
  const port = 9; // discard: nobody listens
  one.configure(
    "",
    `  - { host: there, path: "${THERE}" }\n  - { host: away, path: x, port: ${port} }\n  - { host: late, path: x }\n`,
  );
  const unreachable = await one.deploy();
  assert.equal(unreachable.status, 1);
  assert.match(unreachable.stderr, /ssh does not get to away: .*refused.*Nothing was changed there\./);
  assert.match(
    unreachable.stderr,
    /^there: serves what was deployed\naway: nothing was changed\nlate: was not reached/m,
  );
  assert.match(await one.text("/"), /^one/);
  one.configure("warren: no-such-warren\n");
  const without = await one.deploy("--json");
  assert.equal(without.status, 1);
  assert.equal(JSON.parse(without.stdout).failure.code, "WARREN_NOT_THERE");
  assert.match(JSON.parse(without.stdout).failure.error, /there has no no-such-warren on the PATH/);
});

test("deploy: of two at once one wins, and the other is told; a lost connection leaves what was", OPTIONS, async () => {
  await using one = await Deployment.make();
  await one.deployed();
  one.site.write(INDEX, saying("two"));
  // An rsync that says that it was called, and then does nothing: the copy that never comes to its end.
  const bin = join(one.site.house.base, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "rsync"), `#!/bin/sh\necho $$ > "$RSYNC_PID"\nexec sleep 600\n`);
  chmodSync(join(bin, "rsync"), 0o755);
  const pidPath = join(one.site.house.base, "rsync.pid");
  const env = { PATH: `${bin}:${process.env.PATH}`, RSYNC_PID: pidPath };
  const slow = one.site.house.start(["gateway", "deploy"], { env });
  const called = () =>
    waitUntil(() => (existsSync(pidPath) && Number(readFileSync(pidPath, "utf8"))) || undefined, { what: "rsync" });
  const pid = await called();
  const second = await one.deploy();
  assert.equal(second.status, 1);
  assert.match(second.stderr, /Another deploy to .*my site on .* is running: .*@.* has been at it since/);
  process.kill(pid, "SIGKILL");
  const first = await slow.ended;
  assert.equal(first.status, 1);
  assert.match(first.stderr, /Copying to there failed: .*Nothing was changed there\./);
  assert.match(await one.text("/"), /^one/);
  // Ctrl-C in the midst of the copy.
  rmSync(pidPath);
  const stopped = one.site.house.start(["gateway", "deploy"], { env });
  await called();
  stopped.child.kill("SIGINT");
  const end = await stopped.ended;
  assert.equal(end.status, 130, end.stderr);
  assert.match(end.stderr, /Interrupted\. Nothing was changed on there\./);
  assert.match(await one.text("/"), /^one/);
  await one.deployed();
  assert.match(await one.text("/"), /^two/);
});

test("deploy: a connection lost in the midst of the switch, a host's end that is killed there", OPTIONS, async () => {
  await using one = await Deployment.make();
  await one.deployed();
  const link = one.there("workers/index/bin/index");
  const begun = async (text: string): Promise<{ ended: Promise<Ended>; pid: number; gate: string }> => {
    const before = readlinkSync(link);
    const gate = join(one.host.house.base, `gate-${text}`);
    const waits = `import { existsSync } from "node:fs";\nwhile (!existsSync(${JSON.stringify(gate)})) await new Promise((wake) => setTimeout(wake, 20));\n`;
    one.site.write(INDEX, `${waits}${saying(text)}`);
    const { ended, pid } = one.site.house.start(["gateway", "deploy"]);
    await waitUntil(() => readlinkSync(link) !== before, { what: "the files in their places" });
    return { ended, pid, gate };
  };
  const first = await begun("two");
  process.kill(childNamed(first.pid, "ssh"), "SIGKILL");
  const lost = await first.ended;
  assert.equal(lost.status, 1);
  assert.match(lost.stderr, /The connection to there was lost during the switch.*The host finishes by itself/);
  assert.match(await one.text("/"), /^one/);
  writeFileSync(first.gate, "");
  await waitUntil(async () => (await one.text("/")).startsWith("two"), { what: "the switch" });
  await waitUntil(() => !existsSync(one.there(".warren-deploy/journal.json")), { what: "the host's end" });
  const two = readlinkSync(link);
  const second = await begun("three");
  const receiver = one.host.house.processes().find(({ argv }) => argv.includes("receive"));
  assert.ok(receiver);
  process.kill(receiver.pid, "SIGKILL");
  assert.equal((await second.ended).status, 1);
  assert.ok(existsSync(one.there(".warren-deploy/journal.json")));
  assert.match(await one.text("/"), /^two/);
  // The next one begins where the first was: the same version again, and what was half done is not what it goes back to.
  one.site.write(INDEX, "process.exit(5);\n");
  const third = await one.deploy();
  assert.equal(third.status, 1, third.stdout);
  assert.equal(readlinkSync(link), two);
  assert.match(await one.text("/"), /^two/);
});

test("deploy: sources are built there, and only what has changed; keep counts versions", OPTIONS, async () => {
  const shared = "lib/words.ts";
  const uses = `import { word } from "../../../lib/words.ts";\n${saying("").replace('const text: string = ""', "const text = word")}`;
  await using one = await Deployment.make(
    {
      ...FILES,
      [INDEX]: uses,
      [shared]: 'export const word = "sources";\n',
      "workers/made/worker.yaml": "build: sh src/make.sh\ncommand: node bin/made\n",
      "workers/made/src/make.sh": 'cp src/main.mjs "$WORKER_ARTEFACT"\n',
      "workers/made/src/main.mjs": saying("made").replace(": string", ""),
    },
    "sources: [index]\nkeep: 2\n",
  );
  await one.deployed();
  assert.match(await one.text("/"), /^sources/);
  assert.match(await one.text("/made"), /^made/);
  assert.ok(existsSync(one.there(INDEX)) && existsSync(one.there(shared)));
  assert.ok(!existsSync(one.there("workers/made/src")), "of this one only what was built");
  const api = pidIn(await one.text("/api"));
  for (const word of ["more", "most", "all"]) {
    one.site.write(shared, `export const word = "${word}";\n`);
    one.site.write("workers/made/src/main.mjs", saying(word).replace(": string", ""));
    await one.deployed();
    assert.match(await one.text("/"), new RegExp(`^${word}`));
    assert.match(await one.text("/made"), new RegExp(`^${word}`));
  }
  assert.equal(pidIn(await one.text("/api")), api);
  const kept = readdirSync(one.there("workers/made/bin")).filter((name) => /^made-[0-9a-f]+$/.test(name));
  assert.ok(kept.length <= 3, `${kept}: two, and one that is warm still`);
  // As sources from now on, and back.
  one.configure("sources: true\n");
  await one.deployed();
  assert.match(await one.text("/made"), /^all/);
  assert.ok(existsSync(one.there("workers/made/src/make.sh")));
  one.configure();
  await one.deployed();
  assert.match(await one.text("/"), /^all/);
  assert.ok(!existsSync(one.there("workers/made/src")) && !existsSync(one.there(INDEX)));
});

test(
  "production without sources: a link is the version; one that leads nowhere is said, and changes nothing",
  OPTIONS,
  async () => {
    await using one = await Deployment.make({ [INDEX]: saying("one") });
    await one.deployed();
    const before = await one.text("/");
    const link = one.there("workers/index/bin/index");
    const name = readlinkSync(link);
    rmSync(link);
    const refresh = (): Promise<Ended> => one.host.house.warren(["gateway", "refresh"], { cwd: one.dir });
    const lost = await refresh();
    assert.match(
      lost.stdout + lost.stderr,
      /bin\/index, the link to the version that serves, is missing; there is index-/,
    );
    assert.equal(await one.text("/"), before);
    writeLink(link, "index-0000.mjs");
    assert.match(
      (await refresh()).stdout,
      /bin\/index leads to index-0000\.mjs, which is not there\. Versions that are there: /,
    );
    assert.equal(await one.text("/"), before);
    writeLink(link, name);
    assert.equal((await refresh()).status, 0);
    assert.equal(await one.text("/"), before);
    assert.equal((await one.worker("index")).state, "healthy");
  },
);

function writeLink(path: string, target: string): void {
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** Of a process's children. */
function childNamed(pid: number, name: string): number {
  const listed = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" });
  const rows = listed.split("\n").map((line) => line.trim().split(/\s+/));
  const found = rows.find(([, parent, comm]) => Number(parent) === pid && comm === name);
  assert.ok(found, listed);
  return Number(found[0]);
}

const pidIn = (text: string): number => Number(text.trim().split(" ").at(-1));

function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${path}: ${response.statusCode} ${body}`));
      });
    });
    request.on("error", reject);
  });
}

/** One request after the other, until it is ended. */
class Load {
  readonly #done: Promise<void>;
  readonly #failures: string[] = [];
  #count = 0;
  #isOver = false;

  constructor(port: number, paths: readonly string[]) {
    this.#done = this.#run(port, paths);
  }

  async end(): Promise<{ count: number; failures: string[] }> {
    this.#isOver = true;
    await this.#done;
    return { count: this.#count, failures: this.#failures };
  }

  async #run(port: number, paths: readonly string[]): Promise<void> {
    while (!this.#isOver) {
      for (const path of paths) {
        await get(port, path).catch((error) => this.#failures.push(String(error)));
        this.#count += 1;
      }
    }
  }
}
