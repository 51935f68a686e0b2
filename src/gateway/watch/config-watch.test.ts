import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { ConfigWatch } from "./config-watch.ts";

test("config watch: a file that changes, comes, or is put in its place; an entry of a folder; not what stands beside", async () => {
  const dir = await mkdtemp(join(tmpdir(), "warren-config-watch-"));
  const yaml = join(dir, "warren.yaml");
  const workers = join(dir, "workers");
  const later = join(workers, "api", "config", "worker.yaml");
  writeFileSync(yaml, "a");
  mkdirSync(workers);
  let told = Promise.withResolvers<void>();
  let count = 0;
  const onChange = (): void => {
    count += 1;
    told.resolve();
  };
  const watch = new ConfigWatch({ onChange, quietMs: 5 });
  try {
    const paths = [yaml, workers, later];
    watch.follow(paths);
    const tells = async (change: () => void): Promise<void> => {
      told = Promise.withResolvers();
      change();
      await told.promise;
      watch.follow(paths);
    };
    await tells(() => writeFileSync(yaml, "b"));
    await tells(() => {
      writeFileSync(join(dir, "warren.yaml.tmp"), "c");
      renameSync(join(dir, "warren.yaml.tmp"), yaml);
    });
    await tells(() => mkdirSync(join(workers, "api")));
    await tells(() => mkdirSync(join(workers, "api", "config")));
    const before = count;
    writeFileSync(join(dir, "README.md"), "x");
    writeFileSync(join(workers, "api", "config", "notes.txt"), "x");
    await tells(() => writeFileSync(later, "path: /x"));
    assert.equal(count, before + 1, "of the other two nothing was told");
  } finally {
    watch.close();
    await rm(dir, { recursive: true });
  }
});

test("config watch: what is followed for the first time is told once, since it was read before", async () => {
  const dir = await mkdtemp(join(tmpdir(), "warren-config-watch-"));
  const [yaml, other, workers] = [join(dir, "warren.yaml"), join(dir, "other.yaml"), join(dir, "workers")];
  const clock = new HandClock();
  let count = 0;
  const onChange = (): void => {
    count += 1;
  };
  const watch = new ConfigWatch({ onChange, clock });
  const counts: number[] = [];
  const follows = (paths: string[]): void => {
    watch.follow(paths);
    clock.pass(1_000);
    counts.push(count);
  };
  try {
    follows([yaml]);
    follows([yaml]);
    follows([yaml, other]);
    follows([yaml, other]);
    follows([yaml]);
    mkdirSync(workers);
    follows([yaml, workers]);
    follows([yaml, workers]);
    assert.deepEqual(counts, [1, 1, 2, 2, 2, 3, 3]);
    watch.follow([other]);
    watch.close();
    clock.pass(1_000);
    assert.equal(count, 3, "of what is closed nothing is told");
  } finally {
    watch.close();
    await rm(dir, { recursive: true });
  }
});
