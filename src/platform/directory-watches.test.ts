import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, watch } from "node:fs";
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
