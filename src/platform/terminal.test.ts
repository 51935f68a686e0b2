import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openTerminal } from "./terminal.ts";

test("terminal: a program that closes its terminal and exits later is not hung up on", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "warren-terminal-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const script = "echo said; exec 0<&- 1>&- 2>&-; until [ -e gate ]; do sleep 0.02; done; exit 3";
  const terminal = openTerminal({
    command: ["/bin/sh", "-c", script],
    directory,
    env: { PATH: process.env.PATH ?? "" },
    cols: 80,
    rows: 24,
  });
  const closed = new Promise((resolve) => terminal.output.on("close", resolve)); // EIO comes before, and is no failure
  let said = "";
  terminal.output.on("data", (bytes) => {
    said += bytes;
  });
  await once(terminal.input, "close"); // nobody reads it any more
  writeFileSync(join(directory, "gate"), "");
  assert.deepEqual(await terminal.exited, { code: 3, signal: null });
  await closed;
  assert.equal(said, "said\r\n");
});
