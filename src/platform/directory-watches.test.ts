import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryWatches } from "./directory-watches.ts";

const DEADLINE_MS = 10_000;

test("watches: of what is not there the nearest above; what comes while that is being watched is not passed over", async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "warren-watches-")));
  let isFirst = true;
  let late: NodeJS.Timeout | undefined;
  const watches = new DirectoryWatches({
    watch: ((...args: Parameters<typeof watch>) => {
      if (isFirst) mkdirSync(join(base, "a", "b"), { recursive: true }); // after the look, before the watch
      isFirst = false;
      return watch(...args);
    }) as typeof watch,
  });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    late = setTimeout(() => reject(new Error("nothing was told")), DEADLINE_MS);
    const owner = {};
    const added = watches.addNearest(join(base, "a", "b", "c"), owner, ({ dir, name }) =>
      resolve(join(dir, name ?? "")),
    );
    assert.deepEqual(added, [base, join(base, "a", "b")]);
    mkdirSync(join(base, "a", "b", "c"));
    assert.equal(await promise, join(base, "a", "b", "c"));
    for (const dir of added) watches.remove(dir, owner);
    assert.equal(watches.count, 0);
  } finally {
    clearTimeout(late);
    watches.close();
    rmSync(base, { recursive: true });
  }
});

/** False: this file system gives no inode number twice. */
function makeAgain(dir: string): boolean {
  const { ino } = statSync(dir);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    if (statSync(dir).ino === ino) return true;
  }
  return false;
}

for (const { name, isAddedAgain } of [
  { name: "when it is added again", isAddedAgain: true },
  { name: "when its end is told", isAddedAgain: false },
]) {
  test(`watches: a directory made again under the inode number of before is watched ${name}`, async (t) => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), "warren-watches-")));
    const dir = join(base, "a");
    mkdirSync(dir);
    const watches = new DirectoryWatches();
    const ended = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const late = setTimeout(() => {
      for (const { reject } of [ended, written]) reject(new Error("nothing was told"));
    }, DEADLINE_MS);
    try {
      const owner = {};
      const add = (): boolean =>
        watches.add(dir, owner, (event) => (event.name === "main.ts" ? written : ended).resolve());
      add();
      if (!makeAgain(dir)) return t.skip("no inode number is given twice here");
      if (isAddedAgain) assert.equal(add(), true);
      else await ended.promise;
      writeFileSync(join(dir, "main.ts"), "1");
      await written.promise;
      assert.equal(watches.count, 1);
    } finally {
      clearTimeout(late);
      watches.close();
      rmSync(base, { recursive: true });
    }
  });
}
