import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Clock } from "../../platform/clock.ts";
import { PublicFolder } from "./public-folder.ts";

class Fixture implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-public-"));
  readonly public = join(this.directory, "public");
  monotonicMs = 0;
  wallMs = (): number => Date.now();
  readonly clock: Clock = {
    wallMs: () => this.wallMs(),
    monotonicMs: () => this.monotonicMs,
    timer: () => () => {},
  };
  readonly folder = new PublicFolder(this.public, this.clock);

  /** Files by their paths below the fixture's directory. */
  write(files: Record<string, string>): this {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, name)), { recursive: true });
      writeFileSync(join(this.directory, name), text);
    }
    return this;
  }

  link(name: string, target: string): void {
    mkdirSync(dirname(join(this.directory, name)), { recursive: true });
    symlinkSync(target, join(this.directory, name));
  }

  /** The text of what is found, `folder/`, or undefined. */
  find(path: string): string | undefined {
    const found = this.folder.find(path);
    if (found?.kind !== "file") return found && "folder/";
    try {
      return readFileSync(found.fd, "utf8");
    } finally {
      closeSync(found.fd);
    }
  }

  /** Long enough for the folder to be looked at again. */
  pass(): void {
    this.monotonicMs += 10;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

test("public folder: files, folders with an index, and nothing else", () => {
  using fixture = new Fixture().write({
    "public/index.html": "home",
    "public/a b.txt": "spaces",
    "public/docs/index.html": "docs",
    "public/docs/page.html": "page",
    "public/empty/nothing.txt": "",
  });
  assert.equal(fixture.find("/"), "home");
  assert.equal(fixture.find("/a%20b.txt"), "spaces");
  assert.equal(fixture.find("/docs/page.html"), "page");
  assert.equal(fixture.find("/docs/"), "docs");
  assert.equal(fixture.find("/docs"), "folder/");
  assert.equal(fixture.find(""), "folder/", "the route's own path, without a slash");
  assert.equal(fixture.find("/empty"), undefined);
  assert.equal(fixture.find("/empty/"), undefined);
  assert.equal(fixture.find("/docs/page.html/"), undefined);
  assert.equal(fixture.find("/none"), undefined);
});

test("public folder: no way out, by name, symlink to a file or folder, or chain of symlinks", () => {
  using fixture = new Fixture().write({
    "private/secret.txt": "secret",
    "public-not/secret.txt": "secret",
    "public/ok/real.txt": "real",
    "public/.env": "secret",
    "public/worker.yaml": "secret",
    "public/index.php": "<?php secret",
    "public/.well-known/security.txt": "contact",
  });
  fixture.link("public/in.txt", "ok/real.txt");
  fixture.link("public/out.txt", "../private/secret.txt");
  fixture.link("public/out", "../private");
  fixture.link("public/chain", "out");
  fixture.link("public/etc", "/etc");
  fixture.link("public/beside", "../public-not");
  fixture.link("public/dotted.txt", ".env");
  fixture.link("public/self", "self");
  assert.equal(fixture.find("/in.txt"), "real");
  assert.equal(fixture.find("/.well-known/security.txt"), "contact");
  const nothing = [
    "/out.txt",
    "/out/secret.txt",
    "/chain/secret.txt",
    "/etc/passwd",
    "/beside/secret.txt",
    "/out",
    "/out/",
  ];
  nothing.push("/dotted.txt", "/.env", "/self", "/worker.yaml", "/index.php", "/../private/secret.txt");
  nothing.push("/ok/../../private/secret.txt", "/%2e%2e/private/secret.txt", "/ok%2f..%2f..%2fprivate/secret.txt");
  for (const path of nothing) assert.equal(fixture.find(path), undefined, path);
});

test("public folder: a worker's whole folder as its public one keeps what is the worker's own", () => {
  using fixture = new Fixture().write({
    "public/config/worker.yaml": "type: static",
    "public/config/other.txt": "secret",
    "public/src/main.ts": "secret",
    "public/private/key": "secret",
    "public/bin/x": "secret",
    "public/page.html": "page",
  });
  fixture.link("public/linked.txt", "private/key");
  assert.equal(fixture.find("/page.html"), "page");
  for (const path of [
    "/src/main.ts",
    "/private/key",
    "/bin/x",
    "/config/other.txt",
    "/config/worker.yaml",
    "/linked.txt",
  ])
    assert.equal(fixture.find(path), undefined, path);
});

test("public folder: a named pipe and a device are no files, and hold up nobody", () => {
  using fixture = new Fixture().write({ "public/x.txt": "x" });
  execFileSync("mkfifo", [join(fixture.public, "pipe")]);
  fixture.link("public/null", "/dev/null");
  assert.equal(fixture.find("/pipe"), undefined);
  assert.equal(fixture.find("/null"), undefined);
});

test("public folder: what it has not at its top is not looked for; a folder that is absent or empty costs one look in 10 ms", () => {
  using fixture = new Fixture();
  for (let at = 0; at < 1_000; at++) assert.equal(fixture.find("/api/users"), undefined);
  assert.equal(fixture.folder.lookCount, 1);
  fixture.write({ "public/style.css": "a" });
  assert.equal(fixture.find("/style.css"), undefined, "known again 10 ms later at most");
  fixture.pass();
  assert.equal(fixture.find("/style.css"), "a");
  const before = fixture.folder.lookCount;
  for (let at = 0; at < 1_000; at++) assert.equal(fixture.find("/api/users"), undefined);
  assert.equal(fixture.folder.lookCount, before);
});

test("public folder: a name that is added within the tick of a look is seen all the same", () => {
  using fixture = new Fixture().write({ "public/one.txt": "1" });
  const stamp = new Date();
  utimesSync(fixture.public, stamp, stamp);
  fixture.wallMs = () => stamp.getTime() + 1;
  assert.equal(fixture.find("/two.txt"), undefined);
  fixture.write({ "public/two.txt": "2" });
  utimesSync(fixture.public, stamp, stamp);
  fixture.wallMs = () => stamp.getTime() + 1_000;
  fixture.pass();
  assert.equal(fixture.find("/two.txt"), "2");
  const { lookCount } = fixture.folder;
  fixture.pass();
  assert.equal(fixture.find("/none"), undefined);
  assert.equal(fixture.folder.lookCount, lookCount + 1, "old enough now: its time is enough to go by");
});

test("public folder: replaced as a whole, or turned to another release, it is the new one at once", () => {
  using fixture = new Fixture().write({ "one/page.txt": "one", "two/page.txt": "two", "two/new.txt": "new" });
  fixture.link("public", "one");
  assert.equal(fixture.find("/page.txt"), "one");
  symlinkSync("two", join(fixture.directory, "next"));
  renameSync(join(fixture.directory, "next"), fixture.public);
  assert.equal(fixture.find("/page.txt"), "two", "without a 404 between");
  rmSync(fixture.public);
  fixture.pass();
  assert.equal(fixture.find("/page.txt"), undefined);
  renameSync(join(fixture.directory, "two"), fixture.public);
  fixture.pass();
  assert.equal(fixture.find("/new.txt"), "new");
});

test("public folder: while a path is turned between inside and outside, what is outside is never given", () => {
  using fixture = new Fixture().write({ "public/in/page.txt": "inside", "private/page.txt": "secret" });
  const place = join(fixture.public, "turning");
  const seen = new Set<string | undefined>();
  for (let round = 0; round < 200; round++) {
    const next = join(fixture.public, `next-${round}`);
    symlinkSync(round % 2 === 0 ? "in" : "../private", next);
    renameSync(next, place);
    fixture.pass();
    seen.add(fixture.find("/turning/page.txt"));
  }
  assert.deepEqual([...seen].sort(), ["inside", undefined]);
});

test("public folder: no descriptor stays open for what is not given", () => {
  using fixture = new Fixture().write({
    "public/docs/index.html": "docs",
    "public/x.txt": "x",
    "secret.txt": "secret",
  });
  fixture.link("public/out.txt", "../secret.txt");
  const first = fixture.folder.find("/x.txt");
  assert.equal(first?.kind, "file");
  closeSync(first.fd);
  for (const path of ["/docs", "/docs/", "/out.txt", "/none", "/x.txt"]) fixture.find(path);
  const again = fixture.folder.find("/x.txt");
  assert.equal(again?.kind, "file");
  assert.equal(again.fd, first.fd, "the lowest free descriptor is the same one");
  assert.ok(fstatSync(again.fd).isFile());
  closeSync(again.fd);
});
