import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { accessOf } from "./access.ts";
import { logTails } from "./log-tail.ts";
import { html } from "./markup.ts";
import { agoOf, durationOf } from "./words.ts";

const from = (host: string | undefined, remoteAddress = "127.0.0.1", isForwarded = false) =>
  accessOf({ host, remoteAddress, isForwarded }, "dev");

test("dashboard: for who works at this machine, by its own name", () => {
  for (const host of ["localhost", "LOCALHOST.:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]:8080"])
    assert.equal(from(host), "allowed", host);
  assert.equal(from("localhost", "::1"), "allowed");
  for (const host of [
    undefined,
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.localhost",
    "0.0.0.0",
    "10.0.0.1",
    "[::]",
  ])
    assert.equal(from(host), "elsewhere", String(host));
  assert.equal(from("localhost", "10.0.0.7"), "elsewhere", "somebody else's machine");
  assert.equal(from("localhost", "127.0.0.1", true), "elsewhere", "passed on by a proxy or a tunnel");
});

test("dashboard: not there in production, to nobody", () => {
  assert.equal(accessOf({ host: "localhost", remoteAddress: "127.0.0.1", isForwarded: false }, "prod"), "absent");
});

test("dashboard: what is put into markup is escaped, and markup is not escaped twice", () => {
  const inner = html`<b>${"<i>"}</b>`;
  assert.equal(html`${inner}${[inner, "&"]}${undefined}${false}${0}`.text, "<b>&lt;i&gt;</b><b>&lt;i&gt;</b>&amp;0");
  assert.equal(html`<a title="${'"x'}">`.text, '<a title="&quot;x">');
});

test("dashboard: times are short", () => {
  const ago = (seconds: number) => agoOf(1_000_000_000_000 - seconds * 1_000, 1_000_000_000_000);
  assert.deepEqual([-5, 59, 61, 3_600, 90_000, 300_000].map(ago), ["0s", "59s", "1m", "1h", "yesterday", "3d"]);
  assert.deepEqual([0.04, 3.14, 99.6, 1_234].map(durationOf), ["0.0 ms", "3.1 ms", "100 ms", "1.2 s"]);
});

test("dashboard: the last lines of an instance's output, whole, however long it is; nothing of other files", async () => {
  const dir = mkdtempSync(join(tmpdir(), "warren-tail-"));
  try {
    const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at}`);
    writeFileSync(join(dir, "api-1.stdout.log"), `${lines.join("\n")}\n`);
    writeFileSync(join(dir, "api-1.stderr.log"), "");
    const tails = await logTails(dir, "api-1");
    assert.deepEqual(tails, [{ stream: "stdout", lines: lines.slice(-40) }]);
    writeFileSync(join(dir, "api-2.stderr.log"), "no end");
    assert.deepEqual(await logTails(dir, "api-2"), [{ stream: "stderr", lines: ["no end"] }]);
    assert.deepEqual(await logTails(dir, "api-3"), []);
    for (const end of ["", "\n"]) {
      writeFileSync(join(dir, "api-4.stdout.log"), `${"x".repeat(100_000)}the end${end}`);
      const [tail] = await logTails(dir, "api-4");
      assert.equal(tail!.lines.length, 1);
      assert.match(tail!.lines[0]!, /^…x+the end$/, "the end of a line that is longer");
    }
    assert.deepEqual(await logTails(join(dir, "logs"), "../api-1"), []);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
