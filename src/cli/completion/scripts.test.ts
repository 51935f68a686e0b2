import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { COMPLETION_SCRIPTS } from "./scripts.ts";

const dir = mkdtempSync(join(tmpdir(), "warren-completion-"));
after(() => rmSync(dir, { recursive: true }));
const isThere = (shell: string): boolean => spawnSync(shell, ["-c", "exit"]).error === undefined;
const skip = (shell: string): string | false => (isThere(shell) ? false : `${shell} is not installed`);

/** Stands for the CLI: says what it was asked, as a candidate. */
writeFileSync(
  join(dir, "warren"),
  `#!/bin/sh
shift 2
case "$*" in
  "import "*) echo ":files" ;;
  "run ec"*) echo ":commands" ;;
  *) printf 'stop\\tstop jobs: all\\n'; printf '[%s]\\tasked\\n' "$*" ;;
esac
`,
  { mode: 0o755 },
);
const run = (shell: string, script: string): string =>
  execFileSync(shell, ["-c", script], {
    cwd: dir,
    encoding: "utf8",
    env: { ...process.env, PATH: `${dir}${delimiter}${process.env.PATH}` },
  });

test("bash: offers what the command line answers", { skip: skip("bash") }, () => {
  const ask = (words: string, at: number): string =>
    run(
      "bash",
      `${COMPLETION_SCRIPTS.bash}\nCOMP_WORDS=(${words}); COMP_CWORD=${at}; _warren; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  assert.equal(ask("warren st", 1), "stop\n[st]\n");
  assert.equal(ask("warren stop ''", 2), "stop\n[stop ]\n");
  assert.match(ask("warren run ech", 2), /^echo$/m);
  assert.equal(ask("warren import ''", 2), "\n");
});

test("bash: the function is registered", { skip: skip("bash") }, () => {
  assert.match(run("bash", `${COMPLETION_SCRIPTS.bash}\ncomplete -p warren`), /complete -F _warren warren/);
});

test("zsh: offers what the command line answers", { skip: skip("zsh") }, () => {
  const stubs = "compdef() { :; }; _describe() { print -l -- $candidates; }; _files() { print files; }";
  const ask = (words: string): string =>
    run("zsh", `${stubs}\n${COMPLETION_SCRIPTS.zsh}\nwords=(${words}); CURRENT=$#words; _warren`);
  assert.equal(ask("warren st"), "stop:stop jobs: all\n[st]:asked\n");
  assert.equal(ask("warren import ''"), "files\n");
});

test("fish: offers what the command line answers", { skip: skip("fish") }, () => {
  assert.match(run("fish", `${COMPLETION_SCRIPTS.fish}\ncomplete -C 'warren st'`), /^stop\tstop jobs: all$/m);
});
