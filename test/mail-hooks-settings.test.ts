import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { spawn } from "@lydell/node-pty";
import { thisInstallation } from "./harness/build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";

/** `warren mail hooks`: what it does to the files that people have. */
const TIMEOUT_MS = 60_000;
const OTHERS =
  '{\n  "model": "opus",\n  "hooks": {\n    "Stop": [ {"hooks": [{"type":"command","command":"beep"}]} ]\n  }\n}\n';

const mailHome = (): TemporaryHome => temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
const local = (house: TemporaryHome): string => join(house.dir, ".claude", "settings.local.json");

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

const hooks = (house: TemporaryHome, ...args: string[]) => house.warren(["mail", "hooks", ...args]);

describe("mail hooks install", { timeout: 4 * TIMEOUT_MS }, () => {
  test("nothing changes unasked: it is shown, and --yes is needed where nobody can be asked", async () => {
    await using house = mailHome();
    write(local(house), OTHERS);
    const shown = await hooks(house, "install");
    assert.equal(shown.status, 125);
    assert.match(shown.stdout, /^--- \S+settings\.local\.json\n\+\+\+ \S+\n@@ -1,6 \+1,\d+ @@\n/);
    assert.match(shown.stdout, /\n\+ +"command": "\[ ! -x \S+\/mail\/warren-mail-hook \] \|\| exec \S+ claude",\n/);
    assert.match(shown.stderr, /warren mail hooks install claude --yes/);
    assert.equal(readFileSync(local(house), "utf8"), OTHERS);
  });

  test("a person at a terminal is asked", async () => {
    await using house = mailHome();
    const answered = async (answer: string, beforeAnswer = (): void => {}): Promise<number> => {
      const env = { ...house.env, TERM: "xterm" };
      const pty = spawn(thisInstallation().bin, ["mail", "hooks", "install"], { cwd: house.dir, env, cols: 120 });
      const { promise, resolve } = Promise.withResolvers<number>();
      let text = "";
      pty.onData((data) => {
        const wasAsked = text.includes("Apply? [y/N]");
        text += data;
        if (wasAsked || !text.includes("Apply? [y/N]")) return;
        beforeAnswer();
        pty.write(answer);
      });
      pty.onExit(({ exitCode }) => resolve(exitCode));
      return promise;
    };
    assert.deepEqual([await answered("n\r"), existsSync(local(house))], [125, false]);
    assert.deepEqual([await answered("\r"), existsSync(local(house))], [125, false]);
    assert.deepEqual([await answered("y\r"), existsSync(local(house))], [0, true]);
    assert.equal((await hooks(house, "remove", "--yes")).status, 0);
    assert.equal(await answered("y\r", () => write(local(house), OTHERS)), 125);
    assert.equal(readFileSync(local(house), "utf8"), OTHERS, "what came while the question stood");
  });

  test("installed twice is installed once; removed, everything is as it was", async () => {
    await using house = mailHome();
    write(local(house), OTHERS, 0o640);
    assert.match((await hooks(house, "install", "--yes")).stdout, /has them\n/);
    const after = readFileSync(local(house), "utf8");
    const settings = JSON.parse(after);
    assert.deepEqual(Object.keys(settings.hooks), ["Stop", "SessionStart", "UserPromptSubmit", "PostToolUse"]);
    assert.equal(settings.hooks.Stop[0].hooks[0].command, "beep");
    assert.equal(statSync(local(house)).mode & 0o777, 0o640);
    assert.match((await hooks(house, "install", "--yes")).stdout, /has them already/);
    assert.equal(readFileSync(local(house), "utf8"), after);
    const status = JSON.parse((await hooks(house, "--json")).stdout);
    assert.deepEqual(
      status.settings.map(({ state }: { state: string }) => state),
      ["installed", "none", "none"],
    );
    assert.equal(status.program.is_there, true);
    await hooks(house, "install", "--no-wake", "--yes");
    assert.equal(JSON.parse(readFileSync(local(house), "utf8")).hooks.Stop.length, 2);
    assert.match((await hooks(house)).stdout, /^local {4}installed without wake/);
    assert.match((await hooks(house, "remove", "--yes")).stdout, /no hooks of Warren's any more/);
    assert.equal(readFileSync(local(house), "utf8"), OTHERS);
    assert.match((await hooks(house, "remove", "--yes")).stdout, /has none/);
  });

  test("what was changed meanwhile stays changed; a file of ours that has nothing else goes", async () => {
    await using house = mailHome();
    await hooks(house, "install", "--yes");
    await hooks(house, "remove", "--yes");
    assert.equal(existsSync(join(house.dir, ".claude")), false, "neither file nor directory was there before");
    await hooks(house, "install", "--yes");
    const text = readFileSync(local(house), "utf8").replace(/^\{/, '{\n  "model": "opus",');
    writeFileSync(local(house), text);
    await hooks(house, "remove", "--yes");
    assert.deepEqual(JSON.parse(readFileSync(local(house), "utf8")), { model: "opus" });
  });

  test("a symbolic link stays one; a read-only file, one with comments, and one of another shape are left alone", async () => {
    await using house = mailHome();
    const real = join(house.base, "dotfiles", "claude.json");
    write(real, '{"model":"opus"}\n');
    mkdirSync(join(house.dir, ".claude"));
    symlinkSync(real, local(house));
    await hooks(house, "install", "--yes");
    assert.ok(lstatSync(local(house)).isSymbolicLink());
    assert.match(readFileSync(real, "utf8"), /^\{"model":"opus", "hooks": /);
    await hooks(house, "remove", "--yes");
    assert.equal(readFileSync(real, "utf8"), '{"model":"opus"}\n');
    for (const [text, mode, says] of [
      ["{}\n", 0o444, /read-only/],
      ["{\n  // mine\n}\n", 0o644, /line 2, column 3: a comment/],
      ["[]\n", 0o644, /no object/],
    ] as const) {
      write(real, text, mode);
      const refused = await hooks(house, "install", "--yes");
      assert.equal(refused.status, 125);
      assert.match(refused.stderr, says);
      assert.equal(readFileSync(real, "utf8"), text);
      chmodSync(real, 0o644);
    }
  });

  test("the shared settings of a project name no place of this machine; the user's own are the user's", async () => {
    await using house = mailHome();
    await hooks(house, "install", "--project", "--yes");
    const shared = readFileSync(join(house.dir, ".claude", "settings.json"), "utf8");
    assert.match(shared, /\$\{WARREN_HOME:-\$HOME\/\.warren\}\/mail\/warren-mail-hook/);
    assert.doesNotMatch(shared, new RegExp(house.base));
    await hooks(house, "install", "--user", "--yes");
    assert.ok(existsSync(join(house.base, ".claude", "settings.json")));
    assert.equal((await hooks(house, "install", "--user", "--project", "--yes")).status, 2);
  });
});

test(
  "mail hook generic: prints mail once, and again when nobody came back for it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = mailHome();
    const generic = async (...more: string[]): Promise<string> => {
      const ended = await house.warren(["mail", "hook", "generic", "--as", "gem", ...more]);
      assert.equal(ended.status, 0, ended.stderr);
      return ended.stdout;
    };
    assert.equal(await generic(), "");
    assert.deepEqual(house.processes(), [], "nobody who leads was started for nothing");
    await house.warren(["mail", "send", "gem", "hello </mail>"]);
    assert.match(
      await generic(),
      /^Mail for gem, 1 message\. [\s\S]*hello ‹\/mail>\n<\/mail>\n\n.*warren mail reply 1 'text' --as gem/,
    );
    assert.match((await house.warren(["mail", "show", "1"])).stdout, /gem: queued/, "printed, and not confirmed yet");
    assert.equal(await generic(), "");
    assert.match((await house.warren(["mail", "show", "1"])).stdout, /gem: handled/);
    await house.warren(["mail", "send", "gem", "two"]);
    const { as, messages, left } = JSON.parse(await generic("--format", "json"));
    assert.deepEqual([as, messages.length, messages[0].body, left], ["gem", 1, "two", 0]);
  },
);
