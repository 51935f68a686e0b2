import assert from "node:assert/strict";
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { PlacedFiles } from "./placed-files.ts";

class Folder implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), "warren-placed-"));
  readonly dir = join(this.base, "site");
  readonly staging = join(this.dir, ".state/incoming");

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    writeFileSync(join(this.dir, path), text);
  }

  stage(path: string, text: string): void {
    this.write(join(".state/incoming", path), text);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    symlinkSync(target, join(this.dir, path));
  }

  open(): PlacedFiles {
    return new PlacedFiles({ dir: this.dir, stateDir: join(this.dir, ".state") });
  }

  /** All that is there, links as `→ target`. */
  content(): Record<string, string> {
    const paths = globSync("**", { cwd: this.dir }).filter((path) => !lstatSync(join(this.dir, path)).isDirectory());
    return Object.fromEntries(
      paths.sort().map((path) => {
        const at = join(this.dir, path);
        return [path, lstatSync(at).isSymbolicLink() ? `→ ${readlinkSync(at)}` : readFileSync(at, "utf8")];
      }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true });
  }
}

function site(): Folder {
  const folder = new Folder();
  folder.write("warren.yaml", "old");
  folder.write("workers/api/bin/api-1.mjs", "one");
  folder.link("workers/api/bin/api", "api-1.mjs");
  folder.write("workers/api/private/data", "theirs");
  folder.write("public/old/page", "old page");
  folder.write("public/thing", "a file");
  folder.stage("warren.yaml", "new");
  folder.stage("workers/api/bin/api-2.mjs", "two");
  folder.stage("public/thing/inside", "now in a folder");
  folder.stage("public/old", "now a file");
  return folder;
}

const CHANGES = {
  files: ["workers/api/bin/api-2.mjs", "public/thing/inside", "public/old", "warren.yaml"],
  links: { "workers/api/bin/api": "api-2.mjs", "workers/new/bin/new": "new-1.mjs" },
  removed: ["public/old/page", "public/thing", "never/was"],
};

test("placed files: files, links and removals, and back to what was", async () => {
  using folder = site();
  const before = folder.content();
  const files = folder.open();
  assert.equal(await files.put(folder.staging, CHANGES), 8);
  assert.ok(files.isOpen);
  assert.deepEqual(folder.content(), {
    "public/old": "now a file",
    "public/thing/inside": "now in a folder",
    "warren.yaml": "new",
    "workers/api/bin/api": "→ api-2.mjs",
    "workers/api/bin/api-1.mjs": "one",
    "workers/api/bin/api-2.mjs": "two",
    "workers/api/private/data": "theirs",
    "workers/new/bin/new": "→ new-1.mjs",
  });
  // Another process, after a crash.
  await folder.open().undo();
  assert.deepEqual(folder.content(), before);
  assert.ok(!folder.open().isOpen);
  assert.ok(!existsSync(join(folder.dir, "workers/new")), "folders that were made for it are gone");
  await folder.open().undo();
  assert.deepEqual(folder.content(), before, "a second time changes nothing");
});

test("placed files: what cannot be put leaves everything as it was", async () => {
  using folder = site();
  folder.write("public/busy/theirs", "not ours");
  folder.stage("public/busy", "a file in the place of a folder that somebody else uses");
  const before = folder.content();
  await assert.rejects(folder.open().put(folder.staging, { ...CHANGES, files: [...CHANGES.files, "public/busy"] }));
  assert.deepEqual(folder.content(), before);
  assert.ok(!folder.open().isOpen);
});

test("placed files: what is the same is no change, and what stays cannot be undone", async () => {
  using folder = site();
  const files = folder.open();
  await files.put(folder.staging, CHANGES);
  await files.keep();
  const after = folder.content();
  await files.undo();
  assert.deepEqual(folder.content(), after);
  assert.equal(await files.put(folder.staging, { files: [], links: CHANGES.links, removed: CHANGES.removed }), 0);
});
