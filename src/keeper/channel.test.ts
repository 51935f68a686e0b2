import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, stat, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasEnded, readProcess } from "../platform/process.ts";
import { until } from "../runs/run-fixture.ts";
import { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { readWritten } from "./testing/written.ts";

const NOBODY = { ring: () => {}, send: () => {} } as unknown as Connection;

test("channel: output that comes while the keeper is busy, until the time for the last of it is over, is read still", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "warren-channel-"));
  const path = (name: string) => join(directory, name);
  execFileSync("mkfifo", [path("gate")]);
  context.after(() => {
    process.kill(Number(readFileSync(path("child"), "utf8")), "SIGKILL");
    rmSync(directory, { recursive: true });
  });
  const script = "(read go < gate; echo late; touch said; exec sleep 60) & echo $! > child; exit 0";
  const channel = new Channel(
    {
      call: "pipe.open",
      id: "fox",
      server: "blazing",
      command: ["/bin/sh", "-c", script],
      directory,
      env: { PATH: process.env.PATH ?? "" },
      journalDir: directory,
      journalBytesMax: 0,
    },
    1,
    NOBODY,
  );
  const { pid } = channel.describe();
  await new Promise<void>((resolve) => {
    // Not by a timer: between two of them the runtime would read.
    const look = (): void => stat(`/proc/${pid}`, (error) => (error ? beBusy() : look()));
    const beBusy = (): void => {
      // Nothing is read from here on; behind us the timer of the last output is due.
      const busyUntilMs = performance.now() + 700;
      writeFileSync(path("gate"), "go\n");
      while (!existsSync(path("said")) || performance.now() < busyUntilMs);
      resolve();
    };
    look();
  });
  await until(() => channel.exit !== null, "the end");
  assert.equal(String(readWritten(directory).output), "late\n");
});

test("channel: what a terminal holds at its program's end is read whole, however seldom the keeper comes to it", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "warren-channel-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const channel = new Channel(
    {
      call: "terminal.open",
      id: "fox",
      server: "blazing",
      command: ["/bin/sh", "-c", "stty raw; exec seq 2300"],
      directory,
      env: { PATH: process.env.PATH ?? "" },
      journalDir: directory,
      journalBytesMax: 0,
      cols: 80,
      rows: 24,
    },
    1,
    NOBODY,
  );
  const { pid } = channel.describe();
  const runs = (): boolean => !hasEnded(readProcess(pid) ?? { state: "X" });
  while (runs()); // what it writes has room in the terminal, and none of it is read
  const busy = (): void => {
    for (const untilMs = performance.now() + 550; performance.now() < untilMs; );
    if (channel.exit === null) setImmediate(busy);
  };
  busy();
  await until(() => channel.exit !== null, "the end");
  const expected = Array.from({ length: 2300 }, (_, at) => `${at + 1}\n`).join("");
  assert.equal(String(readWritten(directory).output), expected);
});
