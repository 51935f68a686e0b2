import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import { ensureHome, ensureSocketDir, homeDigest, resolvePlaces } from "./paths.ts";

function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), "warren-paths-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const code = (wanted: string) => (error: unknown) => isWarrenError(error, wanted) && error.fix !== undefined;
const perUser = `/tmp/warren-${process.getuid?.()}`;

test("paths: the home is WARREN_HOME, else ~/.warren; another home has sockets of its own", () => {
  assert.equal(resolvePlaces({ HOME: "/home/ada" }).home, "/home/ada/.warren");
  assert.equal(resolvePlaces({}).home, join(homedir(), ".warren"));
  assert.equal(resolvePlaces({ WARREN_HOME: "/srv/../srv/w/" }).home, "/srv/w");
  const own = join(userInfo().homedir, ".warren");
  assert.equal(resolvePlaces({ WARREN_HOME: own, XDG_RUNTIME_DIR: "/run/user/1" }).socketDir, "/run/user/1/warren");
  assert.equal(resolvePlaces({ WARREN_HOME: own }).socketDir, perUser);
  const [a, b] = ["/srv/a", "/srv/b"].map((home) =>
    resolvePlaces({ WARREN_HOME: home, XDG_RUNTIME_DIR: "/run/user/1" }),
  );
  assert.equal(a?.socketDir, `/run/user/1/warren/${homeDigest("/srv/a")}`);
  assert.notEqual(a?.socketDir, b?.socketDir);
  assert.match(homeDigest("/srv/ü"), /^[0-9a-f]{8}$/);
});

test("paths: a runtime directory that is too long for a socket gives way to one in /tmp", () => {
  const nameBytes = 1 + 32 + "-debug.sock".length;
  for (const length of [50, 70, 90, 200]) {
    const runtime = `/${"r".repeat(length)}`;
    const { socketDir } = resolvePlaces({ WARREN_HOME: "/srv/w", XDG_RUNTIME_DIR: runtime });
    assert.ok(Buffer.byteLength(socketDir) + nameBytes <= 107, socketDir);
    const fits = Buffer.byteLength(join(runtime, "warren", "12345678")) + nameBytes <= 107;
    assert.equal(socketDir.startsWith(runtime), fits);
  }
  const wide = resolvePlaces({ WARREN_HOME: "/srv/w", XDG_RUNTIME_DIR: `/${"ü".repeat(40)}` });
  assert.ok(wide.socketDir.startsWith(perUser), "bytes count, not characters");
});

test("home: is made for its user alone; one that cannot be is a typed error", () => {
  using directory = temporaryDirectory();
  const places = resolvePlaces({ WARREN_HOME: join(directory.path, "home") });
  ensureHome(places);
  ensureHome(places);
  for (const dir of [places.home, places.locksDir, places.serverLogsDir, places.statusDir, places.buildsDir])
    assert.equal(statSync(dir).mode & 0o777, 0o700, dir);
  writeFileSync(join(directory.path, "file"), "");
  assert.throws(() => ensureHome(resolvePlaces({ WARREN_HOME: join(directory.path, "file") })), {
    code: "HOME_UNUSABLE",
    fix: "export WARREN_HOME=/var/tmp/warren",
  });
});

test("sockets: their directory is made for its user alone", () => {
  using directory = temporaryDirectory();
  const env = { WARREN_HOME: "/srv/w", XDG_RUNTIME_DIR: directory.path };
  const places = resolvePlaces(env);
  ensureSocketDir(places, env);
  ensureSocketDir(places, env);
  for (const dir of [join(directory.path, "warren"), places.socketDir]) assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test("sockets: a directory that others can read, a link and a file are refused", () => {
  using directory = temporaryDirectory();
  const env = { WARREN_HOME: "/srv/w", XDG_RUNTIME_DIR: directory.path };
  const places = resolvePlaces(env);
  const base = join(directory.path, "warren");
  mkdirSync(base);
  chmodSync(base, 0o755);
  assert.throws(() => ensureSocketDir(places, env), code("RUNTIME_DIR_UNUSABLE"));
  assert.equal(existsSync(places.socketDir), false);
  rmSync(base, { recursive: true });
  mkdirSync(join(directory.path, "target"), { mode: 0o700 });
  symlinkSync(join(directory.path, "target"), base);
  assert.throws(() => ensureSocketDir(places, env), code("RUNTIME_DIR_UNUSABLE"));
  rmSync(base);
  writeFileSync(base, "");
  assert.throws(() => ensureSocketDir(places, env), code("RUNTIME_DIR_UNUSABLE"));
});

test("sockets: an XDG_RUNTIME_DIR that is not there is said, and not made", () => {
  using directory = temporaryDirectory();
  const env = { WARREN_HOME: "/srv/w", XDG_RUNTIME_DIR: join(directory.path, "gone") };
  assert.throws(() => ensureSocketDir(resolvePlaces(env), env), code("RUNTIME_DIR_MISSING"));
  assert.equal(existsSync(env.XDG_RUNTIME_DIR), false);
});

test("runtime directory: a file system that makes no directories is a clear error, at once", () => {
  const env = { ...process.env, XDG_RUNTIME_DIR: "/proc", WARREN_HOME: join(tmpdir(), "warren-paths-nowhere") };
  assert.throws(() => ensureSocketDir(resolvePlaces(env), env), { code: "RUNTIME_DIR_UNUSABLE" });
  assert.throws(() => ensureHome(resolvePlaces({ ...env, WARREN_HOME: "/proc/warren/home" })), {
    code: "HOME_UNUSABLE",
  });
});
