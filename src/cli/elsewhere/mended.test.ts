import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseCommand } from "../../config/command-line.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { usageError } from "../usage-error.ts";
import { findVerb } from "../verbs.ts";
import { IDIOMS } from "./idioms.ts";
import { mended, unknownHelp, unknownVerb } from "./mended.ts";

const dir = mkdtempSync(join(tmpdir(), "warren-elsewhere-"));
after(() => rmSync(dir, { recursive: true }));
const cwd = join(dir, "project");
mkdirSync(cwd);
for (const file of ["app.js", "My App.py", "server", "ecosystem.config.cjs"]) writeFileSync(join(cwd, file), "");
for (const program of ["npm", "node", "claude", "nginx"]) {
  writeFileSync(join(dir, program), "#!/bin/sh\n");
  chmodSync(join(dir, program), 0o755);
}
const look = { cwd, env: { PATH: dir } };

/** What is said to be typed. */
async function fixOf(line: string): Promise<string | undefined> {
  const parsed = parseCommand(line);
  assert.equal(parsed.kind, "argv", line);
  const said = (parsed as { argv: string[] }).argv.slice(1);
  const error = findVerb(said[0]!)
    ? await mended(new WarrenError("JOB_NOT_FOUND", "job not found", { fix: "-" }), said, look)
    : await unknownVerb(said, look);
  return error.fix;
}

test("a project's file is brought up by either of its names", async () => {
  for (const name of ["warren.yaml", "warren.yml"]) {
    const project = join(dir, name);
    mkdirSync(project);
    writeFileSync(join(project, name), "");
    const { fix } = await mended(new WarrenError("JOB_NOT_FOUND", "job not found"), ["start"], {
      ...look,
      cwd: project,
    });
    assert.equal(fix, "warren up", name);
  }
});

test("a wrong value of a line that is ours is not another tool's line", async () => {
  for (const said of [
    ["new", "--port", "abc", "-d", "--", "true"],
    ["logs", "web", "--tail", "x"],
  ])
    assert.equal((await mended(usageError("no"), said, look)).fix, undefined, said.join(" "));
});

const LINES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pm2: {
    "warren start app.js": "warren add --name app -- node app.js",
    "warren start ./app.js --name api -i max --watch -- --port 3": "warren add --name api -- node ./app.js --port 3",
    "warren start 'My App.py'": "warren add -- python3 'My App.py'",
    "warren start server": "warren add --name server -- ./server",
    "warren start 'node app.js'": "warren add -- node app.js",
    "warren start 'node app.js | tee log'": "warren add -- sh -c 'node app.js | tee log'",
    "warren start npm --name api -- run start": "warren add --name api -- npm run start",
    "warren start node app.js": "warren add -- node app.js",
    "warren start ecosystem.config.cjs --env production": "warren import ecosystem.config.cjs --write && warren up",
    "warren start": "warren import ecosystem.config.cjs --write && warren up",
    "warren stop all": "warren stop --all",
    "warren restart all": "warren restart $(warren list --quiet --kind job,worker)",
    "warren reload all": "warren restart $(warren list --quiet --kind job,worker)",
    "warren reload app": "warren restart app",
    "warren delete app": "warren remove app",
    "warren delete all": "warren stop --all && warren cleanup",
    "warren logs app --lines 50 -f": "warren logs app --tail 50 -f",
    "warren logs app --err --lines=5 --since 2h": "warren logs app --stream stderr --tail 5 --since 2h",
    "warren describe app": "warren why app",
    "warren monit": "warren tui",
    "warren save": "warren boot enable",
    "warren pm2 start app.js": "warren add --name app -- node app.js",
    "warren app.js": "warren add --name app -- node app.js",
    "warren node app.js --port 3": "warren run -- node app.js --port 3",
  },
  tmux: {
    "warren ls": "warren list",
    "warren new -s work": "warren new --name work",
    "warren new-session -d -s work -c /tmp 'npm run dev'":
      "warren new --detached --name work --dir /tmp -- npm run dev",
    "warren attach -t work": "warren attach work",
    "warren a -t work:1.0": "warren attach work",
    "warren kill-session -t work": "warren stop work",
    "warren kill-server": "warren shutdown",
    "warren send-keys -t work 'make test' Enter": "warren send work 'make test' --enter",
    "warren capture-pane -p -t work": "warren history work",
    "warren rename-session -t work play": "warren rename work play",
    "warren detach": "warren help attach",
    "warren split-window -h": "warren new",
  },
  systemd: {
    "warren status app": "warren why app",
    "warren enable app": "warren boot enable",
    "warren journalctl -u app -f -n 20": "warren logs app -f --tail 20",
    "warren daemon-reload": "warren up",
    "warren systemctl restart all": "warren restart $(warren list --quiet --kind job,worker)",
  },
  "another mailbox": {
    "warren mail inbox": "warren mail check",
    "warren mail inbox --as fox": "warren mail check --as fox",
    "warren mail read": "warren mail check",
    "warren mail agents": "warren mail list",
    "warren mail read 3": "warren mail show 3",
    "warren mail search schema": "warren mail history --search schema",
    "warren mail view 3": "warren mail show 3",
  },
  shell: {
    "warren ps aux": "warren list",
    "warren ps -a": "warren list --all",
    "warren ls --all": "warren list --all",
    "warren rm web": "warren remove web",
    "warren tail web": "warren logs -f web",
    "warren kill -9 web": "warren stop --force web",
    "warren kill 'a b'": "warren stop 'a b'",
    "warren claude": "warren new -- claude",
    "warren lits": "warren list",
    "warren xyzzy": "warren help",
  },
};

for (const [tool, lines] of Object.entries(LINES))
  test(`a line as ${tool} has it is answered with ours`, async () => {
    for (const [line, wanted] of Object.entries(lines)) assert.equal(await fixOf(line), wanted, line);
  });

test("what is no line of another tool keeps its own advice", async () => {
  for (const line of [
    "warren start web",
    "warren start test",
    "warren stop wbe",
    "warren attach fox",
    "warren logs web",
  ])
    assert.equal(await fixOf(line), "-", line);
  const near = new WarrenError("JOB_NOT_FOUND", "job not found: al", { fix: "-", detail: { suggestion: "all" } });
  assert.equal(await mended(near, ["start", "app.js"], look), near);
  const wrong = usageError("unknown flag of stop: --forse. Did you mean --force?", "warren help stop");
  assert.equal(await mended(wrong, ["stop", "web", "--forse"], look), wrong);
  assert.equal(await mended(wrong, ["--on", "box", "stop", "all"], look), wrong);
});

test("every word of another tool leads to a verb, and help to its help", async () => {
  for (const word of Object.keys(IDIOMS).filter((name) => !findVerb(name))) {
    const { fix = "", message } = await unknownVerb([word], look);
    assert.ok(findVerb(fix.split(" ")[1]!), `${word}: ${fix}`);
    assert.match(message, /Did you mean \w/);
  }
  assert.equal(unknownHelp("ls", look).fix, "warren help list");
  assert.equal(unknownHelp("lits", look).fix, "warren help list");
});
