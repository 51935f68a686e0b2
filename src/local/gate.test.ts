import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { passOrWait } from "./gate.ts";

const TIMEOUT_MS = 5_000;
const SKIP = process.platform === "linux" ? false : "elsewhere everybody passes";

function temporaryHome() {
  const path = mkdtempSync(join(tmpdir(), "warren-gate-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test("gate: one of a herd passes, the others wait until it opens, then none holds it", { skip: SKIP }, async () => {
  using home = temporaryHome();
  const holder = await passOrWait(home.path, TIMEOUT_MS);
  assert.ok(holder);
  let through = 0;
  const herd = Array.from({ length: 50 }, () => passOrWait(home.path, TIMEOUT_MS).finally(() => through++));
  await new Promise(setImmediate);
  assert.equal(through, 0);
  holder.open();
  assert.deepEqual(await Promise.all(herd), Array(50).fill(undefined));
  const next = await passOrWait(home.path, TIMEOUT_MS);
  assert.ok(next, "it can be held again");
  next.open();
});

test("gate: homes do not hold each other back", { skip: SKIP }, async () => {
  using home = temporaryHome();
  using other = temporaryHome();
  const gates = await Promise.all([home, other].map(({ path }) => passOrWait(path, TIMEOUT_MS)));
  for (const gate of gates) {
    assert.ok(gate);
    gate.open();
  }
});

test("gate: the death of its holder opens it", { skip: SKIP }, async () => {
  using home = temporaryHome();
  const module = JSON.stringify(new URL("./gate.ts", import.meta.url).href);
  const script = `
    const { passOrWait } = await import(${module});
    console.log((await passOrWait(${JSON.stringify(home.path)}, 5_000)) ? "holds" : "waited");
    setInterval(() => {}, 1e9);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const [word] = await once(createInterface({ input: child.stdout }), "line");
  assert.equal(word, "holds");
  const waiting = passOrWait(home.path, TIMEOUT_MS);
  child.kill("SIGKILL");
  assert.equal(await waiting, undefined);
  await ended;
});

test("gate: nobody waits for longer than he said", { skip: SKIP }, async () => {
  using home = temporaryHome();
  const holder = await passOrWait(home.path, TIMEOUT_MS);
  assert.equal(await passOrWait(home.path, 10), undefined);
  holder?.open();
});
