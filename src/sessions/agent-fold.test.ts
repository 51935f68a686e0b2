import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { AgentFold } from "./agent-fold.ts";
import { JournalWriter } from "./journal/testing/journal-writer.ts";

test("fold: while a checkpoint is written by a slow disk, no other is begun, however much is said", async () => {
  using journal = new JournalWriter();
  const fold = await AgentFold.open({
    directory: journal.sessionDir,
    journalDir: journal.dir,
    starts: [],
    log: silentLog,
  });
  const disk = Promise.withResolvers<void>();
  let keptCount = 0;
  fold.keep = () => {
    keptCount += 1;
    return disk.promise;
  };
  const say = async (): Promise<void> => {
    for (let count = 0; count < 500; count++) journal.write(`{"jsonrpc":"2.0","method":"said","params":${count}}\n`);
    await fold.catchUp();
  };
  for (let count = 0; count < 5; count++) await say();
  assert.equal(keptCount, 1);
  disk.resolve();
  await disk.promise;
  await new Promise(setImmediate);
  await say();
  assert.equal(keptCount, 2, "the next one is due");
  await fold.close();
});
