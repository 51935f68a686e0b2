import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { resolveProgram } from "./resolve-program.ts";

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "warren-program-"));
  for (const name of ["a", "b", "a/tool-directory", "b/tool-directory.real"]) {
    await mkdir(join(root, name), { recursive: true });
  }
  await writeFile(join(root, "a/refused"), "", { mode: 0o644 });
  await writeFile(join(root, "b/refused"), "", { mode: 0o755 });
  await writeFile(join(root, "a/only-refused"), "", { mode: 0o644 });
  await writeFile(join(root, "b/tool"), "", { mode: 0o755 });
  await mkdir(join(root, "a/tool"));
});
after(() => rm(root, { recursive: true }));

test("program: found by the given PATH and directory, past what may not be executed", async () => {
  const env = ["PATH=/wrong", `PATH=${root}/a:b`];
  assert.equal(await resolveProgram(["refused"], root, env), join(root, "b/refused"));
  assert.equal(await resolveProgram(["tool"], root, env), join(root, "b/tool"));
  assert.equal(await resolveProgram(["./tool"], join(root, "b"), []), join(root, "b/tool"));
  assert.equal(await resolveProgram(["tool"], join(root, "b"), ["PATH="]), join(root, "b/tool"));
  assert.equal(await resolveProgram(["sh"], root, []), "/bin/sh");
});

const INSTALL_WARREN = "npm install -g .      # in Warren's folder; or write out where its bin/warren is";

test("program: what cannot be started is a typed error with a fix that can be typed", async () => {
  const env = [`PATH=${root}/a`];
  const errors: Array<[command: string[], workdir: string, code: string, fix: string]> = [
    [[], root, "COMMAND_EMPTY", "warren add -- npm run dev"],
    [[""], root, "COMMAND_EMPTY", "warren add -- npm run dev"],
    [["x"], join(root, "none"), "WORKDIR_MISSING", `mkdir -p ${root}/none`],
    [["x"], join(root, "b/tool"), "WORKDIR_MISSING", `mkdir -p ${root}/b/tool`],
    [["none"], root, "PROGRAM_NOT_FOUND", "command -v none"],
    [["warren", "web"], root, "PROGRAM_NOT_FOUND", INSTALL_WARREN],
    [["./none"], root, "PROGRAM_NOT_FOUND", "command -v ./none"],
    [["npm run dev"], root, "PROGRAM_NOT_FOUND", "warren add -- sh -c 'npm run dev'"],
    [["cd", "it's"], root, "PROGRAM_NOT_FOUND", "warren add -- sh -c 'cd it'\\''s'"],
    [["only-refused"], root, "PROGRAM_NOT_EXECUTABLE", `chmod +x ${root}/a/only-refused`],
    [["./a"], root, "PROGRAM_NOT_EXECUTABLE", `ls ${root}/a`],
  ];
  for (const [command, workdir, code, fix] of errors) {
    await assert.rejects(resolveProgram(command, workdir, env), { code, fix }, command.join(" "));
  }
});
