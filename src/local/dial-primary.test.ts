import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ensureHome, resolvePlaces } from "../platform/paths.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { announce, type ServerEntry } from "../registry/entries.ts";
import { dialPrimary } from "./dial-primary.ts";

const build = { hash: "bbb", version: "0.1.0", builtAtMs: 2_000, dir: "/nowhere" };
const quiet = { onLine: () => {}, onClose: () => {} };

class Home implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-dial-"));
  readonly places = resolvePlaces({ WARREN_HOME: join(this.directory, "home"), XDG_RUNTIME_DIR: this.directory });
  readonly #listeners: net.Server[] = [];

  /** A server that counts who connects. */
  async serve(name: string, extra: Partial<ServerEntry> = {}): Promise<{ accepted: () => number }> {
    ensureHome(this.places);
    const socket = join(this.directory, `${name}.sock`);
    let count = 0;
    const listener = net.createServer((connection) => {
      count += 1;
      connection.on("error", () => {}).resume();
      connection.write("{}\n");
    });
    await new Promise<void>((listening) => listener.listen(socket, listening));
    this.#listeners.push(listener);
    announce(this.places.serversDir, { ...entry, name, socket, ...extra });
    return { accepted: () => count };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) await new Promise((closed) => listener.close(closed));
    rmSync(this.directory, { recursive: true });
  }
}

const entry: ServerEntry = {
  format: 1,
  oldest_reader: 1,
  name: "blazing",
  icon: "",
  git_hash: "bbb",
  version: "0.1.0",
  built_at_ms: 2_000,
  socket: "",
  pid: process.pid,
  start_ticks: 0,
  boot_id: "",
  started_at: "2026-01-01T00:00:00.000Z",
  primary: false,
  generation: 1,
};

test("dial: goes to the primary, not to the newest", async () => {
  await using home = new Home();
  const newest = await home.serve("newest", { started_at: "2026-06-01T00:00:00.000Z" });
  const primary = await home.serve("primary", { primary: true });
  const said = Promise.withResolvers<string>();
  const wire = await dialPrimary({ places: home.places, build, env: {}, mode: "start" })({
    onLine: said.resolve,
    onClose: () => {},
  });
  assert.equal(await said.promise, "{}");
  assert.deepEqual([primary.accepted(), newest.accepted()], [1, 0]);
  wire.close();
});

test("find: takes a server of an older build too, and starts nothing where none answers", async () => {
  await using home = new Home();
  const find = dialPrimary({ places: home.places, build, env: {}, mode: "find" });
  await assert.rejects(find(quiet), (error) => isWarrenError(error, "NO_SERVER"));
  assert.equal(existsSync(home.places.home), false);
  const older = await home.serve("older", { primary: true, built_at_ms: 1, git_hash: "aaa" });
  (await find(quiet)).close();
  assert.equal(older.accepted(), 1);
  await using killed = new Home();
  ensureHome(killed.places);
  announce(killed.places.serversDir, { ...entry, primary: true, socket: join(killed.directory, "none.sock") });
  const findKilled = dialPrimary({ places: killed.places, build, env: {}, mode: "find" });
  await assert.rejects(findKilled(quiet), (error) => isWarrenError(error, "NO_SERVER"));
});
