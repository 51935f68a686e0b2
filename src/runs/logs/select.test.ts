import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { capRunLog } from "./cap.ts";
import type { Positions } from "./files.ts";
import { parseGrep } from "./grep.ts";
import { collect, described, type LogFixture, temporaryRun } from "./log-fixture.ts";
import type { LogItem } from "./log-item.ts";
import { openRunLog } from "./log-source.ts";
import { type SelectOptions, selectLines } from "./select.ts";

async function select(run: LogFixture, options: SelectOptions): Promise<{ items: LogItem[]; consumed: Positions }> {
  await using log = await openRunLog(run.paths);
  const selection = selectLines(log, options);
  return { items: await collect(selection), consumed: selection.consumed() };
}
const texts = async (run: LogFixture, options: SelectOptions) => described((await select(run, options)).items);

function tenLines(): LogFixture {
  const run = temporaryRun();
  run.write("stdout", Array.from({ length: 10 }, (_, n) => `line ${n}\n`).join(""));
  return run;
}

test("select: tail and grep together give the last lines that match", async () => {
  using run = tenLines();
  run.write("stderr", "line err\n");
  assert.deepEqual(await texts(run, { tailLines: 2 }), ["out:line 9", "err:line err"]);
  assert.deepEqual(await texts(run, { tailLines: 2, streams: ["stdout"] }), ["out:line 8", "out:line 9"]);
  assert.deepEqual(await texts(run, { grep: parseGrep("/[135]$/"), tailLines: 2 }), ["out:line 3", "out:line 5"]);
  assert.deepEqual(await texts(run, { grep: parseGrep("err") }), ["err:line err"]);
  assert.deepEqual(await texts(run, { grep: parseGrep("e"), tailLines: 0 }), []);
});

test("select: a limit keeps the last bytes on line borders and says how many are left out", async () => {
  using run = tenLines();
  assert.deepEqual(await texts(run, { maxBytes: { bytes: 15, keep: "last" } }), [
    "-56 limit",
    "out:line 8",
    "out:line 9",
  ]);
  assert.deepEqual(await texts(run, { maxBytes: { bytes: 13, keep: "last" } }), ["-63 limit", "out:line 9"]);
  assert.deepEqual(await texts(run, { maxBytes: { bytes: 3, keep: "last" } }), ["-67 limit", "out: 9"]);
  assert.equal((await texts(run, { maxBytes: { bytes: 70, keep: "last" } })).length, 10);
  const { items } = await select(run, { grep: parseGrep("line"), maxBytes: { bytes: 14, keep: "last" } });
  assert.ok(items[0]?.kind === "omitted" && items[0].lines === 8 && items[0].bytes === 56);
});

test("select: a matching last line that is longer than the limit is cut at its start", async () => {
  using run = tenLines();
  const cut = { grep: parseGrep("line 9"), maxBytes: { bytes: 3, keep: "last" } } as const;
  assert.deepEqual(await texts(run, cut), ["-4 limit", "out: 9"]);
});

test("select: pages of first bytes read a whole run, each byte once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.stringMatching(/^[ab\n]{0,9}$/)), { maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      async (writes, bytes) => {
        using run = temporaryRun();
        for (const [isError, text] of writes) run.write(isError ? "stderr" : "stdout", text);
        const shown = { stdout: "", stderr: "" };
        let from: Positions = { stdout: 0, stderr: 0 };
        for (let page = 0; page < 500; page++) {
          const { items, consumed } = await select(run, { from, maxBytes: { bytes, keep: "first" } });
          for (const item of items) {
            if (item.kind === "line") shown[item.stream] += `${item.bytes}${item.complete ? "\n" : ""}`;
          }
          from = consumed;
          if (items.at(-1)?.kind !== "omitted") break;
        }
        for (const isError of [false, true]) {
          const written = writes.flatMap(([to, text]) => (to === isError ? [text] : [])).join("");
          assert.equal(shown[isError ? "stderr" : "stdout"], written);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("select: any limit on the last bytes gives a suffix of each stream, and counts what is missing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.stringMatching(/^[ab\n]{0,9}$/)), { maxLength: 20 }),
      fc.integer({ min: 0, max: 60 }),
      async (writes, bytes) => {
        using run = temporaryRun();
        for (const [isError, text] of writes) run.write(isError ? "stderr" : "stdout", text);
        const total = writes.reduce((sum, [, text]) => sum + text.length, 0);
        const { items, consumed } = await select(run, { maxBytes: { bytes, keep: "last" } });
        let shown = 0;
        let missing = 0;
        for (const item of items) {
          if (item.kind === "omitted") missing += item.bytes;
          else shown += item.bytes.length + (item.complete ? 1 : 0);
        }
        assert.equal(shown + missing, total);
        // A cut line may keep its newline when nothing else fits.
        assert.ok(shown <= Math.max(bytes, 1), `${shown} bytes shown`);
        assert.equal(consumed.stdout + consumed.stderr, total);
      },
    ),
    { numRuns: 200 },
  );
});

test("select: what was dropped is told apart from what a limit left out", async () => {
  using run = temporaryRun();
  run.write("stdout", "0123456789abcde\n".repeat(10_000));
  const { droppedBytes } = await capRunLog(run.paths.stdoutPath, 100_000);
  const { items } = await select(run, { maxBytes: { bytes: 160, keep: "last" } });
  assert.deepEqual(described(items).slice(0, 2), [
    `-${droppedBytes} dropped`,
    `-${160_000 - droppedBytes - 160} limit`,
  ]);
  assert.equal(items.length, 12);
});

test("select: an unfinished last line can be held back, and is then not consumed", async () => {
  using run = temporaryRun();
  run.write("stdout", "a\nb");
  const held = await select(run, { holdUnterminated: true });
  assert.deepEqual(described(held.items), ["out:a"]);
  assert.deepEqual(held.consumed, { stdout: 2, stderr: 0 });
  const shown = await select(run, { from: held.consumed });
  assert.deepEqual(described(shown.items), ["out:b…"]);
  assert.deepEqual(shown.consumed, { stdout: 3, stderr: 0 });
});

test("select: a stream that is not shown is not consumed", async () => {
  using run = tenLines();
  run.write("stderr", "x\n");
  const { consumed } = await select(run, { streams: ["stdout"], tailLines: 1, from: { stdout: 0, stderr: 1 } });
  assert.deepEqual(consumed, { stdout: 70, stderr: 1 });
});
