import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Build } from "../platform/build.ts";
import { type Lock, tryLock } from "../platform/lock.ts";
import { ensureHome, type Places, resolvePlaces } from "../platform/paths.ts";
import { bootId, readProcess } from "../platform/process.ts";
import { LineSplitter } from "../protocol/lines.ts";
import { announce, type ServerEntry } from "../registry/entries.ts";
import { becomePrimary, livePrimary } from "./primary.ts";

const build = (builtAtMs: number): Build => ({ hash: `b${builtAtMs}`, version: "0.1.0", builtAtMs, dir: "/nowhere" });

/** A home whose primary is this process, with a build of 1970; it yields when it is asked, if it is told to. */
class HeldHome implements AsyncDisposable {
  readonly places: Places;
  readonly asked: unknown[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), "warren-primary-"));
  readonly #listener: net.Server;
  #lock: Lock | undefined;

  constructor({ yields }: { yields: boolean }) {
    this.places = resolvePlaces({ WARREN_HOME: join(this.#directory, "home"), XDG_RUNTIME_DIR: this.#directory });
    ensureHome(this.places);
    this.#lock = tryLock(join(this.places.locksDir, "primary.lock"));
    this.#listener = net.createServer((socket) => {
      const lines = new LineSplitter();
      socket.on("data", (chunk: Buffer) => {
        for (const line of lines.push(chunk)) {
          const { id, type, payload } = JSON.parse(line);
          if (type !== "server.yield") continue;
          this.asked.push(payload);
          socket.end(`${JSON.stringify({ id, success: true, data: { yielded: true } })}\n`);
          if (yields) this.release();
        }
      });
    });
  }

  async listen(extra: Partial<ServerEntry> = {}): Promise<void> {
    const socket = join(this.#directory, "holder.sock");
    await new Promise<void>((listening) => this.#listener.listen(socket, listening));
    announce(this.places.serversDir, {
      format: 1,
      oldest_reader: 1,
      name: "blazing",
      icon: "",
      git_hash: "b1000",
      version: "0.1.0",
      built_at_ms: 1_000,
      socket,
      pid: process.pid,
      start_ticks: readProcess(process.pid)?.startTicks ?? 0,
      boot_id: bootId(),
      started_at: "2026-01-01T00:00:00.000Z",
      primary: true,
      generation: 1,
      ...extra,
    });
  }

  release(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await new Promise((closed) => this.#listener.close(closed));
    rmSync(this.#directory, { recursive: true });
  }
}

test("primary: a newer server asks the older holder to yield, and has the lock when that one has let go", async () => {
  await using home = new HeldHome({ yields: true });
  await home.listen();
  const lock = await becomePrimary(home.places, build(2_000), "frozen");
  assert.ok(lock);
  assert.deepEqual(home.asked, [{ to: "frozen" }]);
  lock.release();
});

test("primary: an older server, and another of the same build, do without and ask nobody", async () => {
  await using home = new HeldHome({ yields: true });
  await home.listen();
  assert.equal(await becomePrimary(home.places, build(500), "frozen"), undefined);
  assert.equal(await becomePrimary(home.places, build(1_000), "frozen"), undefined);
  assert.deepEqual(home.asked, []);
});

test("primary: a holder that has not announced itself yet is waited for", async () => {
  await using home = new HeldHome({ yields: false });
  await home.listen({ primary: false });
  const waiting = becomePrimary(home.places, build(2_000), "frozen");
  home.release();
  const lock = await waiting;
  assert.ok(lock);
  lock.release();
});

test("primary: the entry of a dead server, of an earlier boot and one's own name nobody", async () => {
  await using home = new HeldHome({ yields: false });
  await home.listen();
  assert.equal(livePrimary(home.places, "frozen")?.name, "blazing");
  assert.equal(livePrimary(home.places, "blazing"), undefined);
  for (const dead of [{ start_ticks: 1 }, { boot_id: "earlier" }, { pid: 2 ** 22 + 1 }]) {
    await using other = new HeldHome({ yields: false });
    await other.listen(dead);
    assert.equal(livePrimary(other.places, "frozen"), undefined, JSON.stringify(dead));
  }
});
