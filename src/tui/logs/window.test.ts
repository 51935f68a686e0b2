import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type OpenLogFile, openLogFile, StreamLog } from "../../runs/logs/log-source.ts";
import { watchGrowth } from "./growth.ts";
import { cutLines, findLine, LINE_BYTES_MAX, READ_BYTES, readWindow } from "./window.ts";

const DEADLINE_MS = 10_000;

function logDir(t: { after(task: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "warren-tui-log-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join("");

test("tail: the last lines, whole, and their absolute offsets", async (t) => {
  const path = join(logDir(t), "x.log");
  const text = numbered(0, 20_000);
  writeFileSync(path, text);
  const log = new StreamLog("stdout", path);
  t.after(() => log.close());
  const { lines, endBytes, startBytes } = await readWindow(log, { kind: "tail" });
  assert.equal(lines.at(-1)?.text, "line 19999");
  assert.equal(lines.at(-1)?.endByte, endBytes);
  assert.equal(startBytes, 0);
  for (const line of lines) {
    assert.equal(text.slice(line.startByte, line.endByte), `${line.text}\n`);
    assert.match(line.text, /^line \d+$/, "no line is cut at the window's border");
  }
  const before = await readWindow(log, { kind: "before", byte: lines[0]!.startByte });
  assert.equal(before.lines.at(-1)?.endByte, lines[0]!.startByte, "windows join without a gap");
  const after = await readWindow(log, { kind: "after", byte: before.lines[0]!.startByte });
  assert.equal(after.lines[0]?.startByte, before.lines[0]!.startByte);
});

test("a log of any size opens with one bounded read", async (t) => {
  const path = join(logDir(t), "big.log");
  writeFileSync(path, "");
  truncateSync(path, 1024 ** 3);
  appendFileSync(path, "\nlast line\n");
  let readBytes = 0;
  const counting: OpenLogFile = async (name) => {
    const file = await openLogFile(name);
    return (
      file && {
        ...file,
        read: async (buffer, position) => {
          readBytes += buffer.length;
          return file.read(buffer, position);
        },
      }
    );
  };
  const log = new StreamLog("stdout", path, counting);
  t.after(() => log.close());
  const { lines } = await readWindow(log, { kind: "tail" });
  assert.equal(lines.at(-1)?.text, "last line");
  assert.ok(readBytes <= READ_BYTES + 1, `${readBytes} bytes`);
});

test("latest: what came since, or the tail when it is more than one read", async (t) => {
  const path = join(logDir(t), "x.log");
  writeFileSync(path, "one\ntwo");
  const log = new StreamLog("stdout", path);
  t.after(() => log.close());
  assert.deepEqual(
    (await readWindow(log, { kind: "latest", byte: 4 })).lines.map((line) => line.text),
    ["two"],
  );
  appendFileSync(path, "!\nthree\n");
  assert.deepEqual(
    (await readWindow(log, { kind: "latest", byte: 4 })).lines.map((line) => line.text),
    ["two!", "three"],
  );
  appendFileSync(path, numbered(0, 50_000));
  const { lines } = await readWindow(log, { kind: "latest", byte: 7 });
  assert.equal(lines.at(-1)?.text, "line 49999");
  assert.ok(lines[0]!.startByte > 7);
});

test("a line longer than a piece is shown in pieces that join", () => {
  const bytes = Buffer.from(`${"x".repeat(3 * LINE_BYTES_MAX + 5)}\nshort\n`);
  const lines = cutLines(bytes, 100, { skipFirst: false, dropLast: true });
  assert.deepEqual(
    lines.map((line) => line.text.length),
    [LINE_BYTES_MAX, LINE_BYTES_MAX, LINE_BYTES_MAX, 5, 5],
  );
  for (const [index, line] of lines.slice(1).entries()) assert.equal(line.startByte, lines[index]!.endByte);
});

test("cutLines: any bytes, any offset: the lines join and cover all that is complete", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "\n", "é", "\x00", "\r")), fc.nat(1000), (parts, offset) => {
      const bytes = Buffer.from(parts.join(""));
      const lines = cutLines(bytes, offset, { skipFirst: false, dropLast: false });
      let at = offset;
      for (const line of lines) {
        assert.equal(line.startByte, at);
        at = line.endByte;
      }
      assert.equal(at, offset + bytes.length);
    }),
  );
});

test("find: downwards and upwards through the file, null when there is none", async (t) => {
  const path = join(logDir(t), "x.log");
  writeFileSync(path, numbered(0, 100_000));
  const log = new StreamLog("stdout", path);
  t.after(() => log.close());
  const { signal } = new AbortController();
  const { endBytes } = await log.extent();
  const down = await findLine(log, "line 77777", 0, 1, signal);
  assert.equal(down, await findLine(log, "line 77777", endBytes, -1, signal));
  const around = await readWindow(log, { kind: "around", byte: down! });
  assert.ok(around.lines.some((line) => line.startByte === down && line.text === "line 77777"));
  assert.equal(await findLine(log, "absent", 0, 1, signal), null);
  assert.equal(await findLine(log, "absent", endBytes, -1, signal), null);
});

test("a log that is not there yet is empty, and its growth is noticed from the first byte", async (t) => {
  const path = join(logDir(t), "later.log");
  const log = new StreamLog("stdout", path);
  t.after(() => log.close());
  assert.deepEqual((await readWindow(log, { kind: "tail" })).lines, []);
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  let notices = 0;
  let wake: () => void = () => {};
  watchGrowth(
    path,
    () => {
      notices += 1;
      wake();
    },
    stopping.signal,
  );
  for (const text of ["first\n", "second\n"]) {
    const seen = notices;
    const grown = new Promise<void>((resolve, reject) => {
      wake = () => notices > seen && resolve();
      AbortSignal.timeout(DEADLINE_MS).addEventListener("abort", () => reject(new Error(`no notice of ${text}`)));
    });
    appendFileSync(path, text);
    await grown;
    const { lines } = await readWindow(log, { kind: "tail" });
    assert.equal(`${lines.at(-1)?.text}\n`, text);
  }
});
