import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { session } from "../../../test/tui/played.ts";
import { type Places, resolvePlaces } from "../../platform/paths.ts";
import { identityOf, readProcess } from "../../platform/process.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import type { Session } from "../../protocol/units.ts";
import { announce, withdraw } from "../../registry/entries.ts";
import type { Action } from "../model/model.ts";
import { Servers } from "./servers.ts";

const DEADLINE_MS = 20_000;
const BUILD = { hash: "new0001", version: "0.1.0", builtAtMs: 1_000, dir: "/nowhere" };

/** A server that knows its sessions alone, in a home of its own, and what is told of it. */
class World implements AsyncDisposable {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "warren-servers-")));
  readonly places: Places = resolvePlaces({ HOME: this.dir, WARREN_HOME: this.dir, XDG_RUNTIME_DIR: this.dir });
  readonly told: Extract<Action, { type: "sessions" }>[] = [];
  readonly events = new EventEmitter();
  readonly ending = new AbortController();
  sessions: Session[] = [];
  /** What it would have said while it was stopped. */
  #held: (() => void)[] | undefined;
  /** Its build has no stream of sessions. */
  isOld = false;
  /** Lines that came, without greetings. */
  readonly heard: string[] = [];
  #seq = 1;
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((socket) => this.#serve(socket));

  constructor() {
    mkdirSync(this.places.serversDir, { recursive: true });
  }

  async listen(): Promise<this> {
    this.#server.listen(join(this.dir, "s.sock"));
    await once(this.#server, "listening");
    return this;
  }

  /** The stream tells of it. */
  change(session: Session): void {
    this.sessions = this.sessions.map((one) => (one.id === session.id ? session : one));
    this.#seq += 1;
    const at = new Date(0).toISOString();
    const event = { event: "session_changed", stream: "sessions", seq: this.#seq, at, data: { session } };
    for (const socket of this.#sockets) socket.write(`${JSON.stringify(event)}\n`);
  }

  stop(): void {
    this.#held = [];
  }

  goOn(): void {
    for (const answer of this.#held ?? []) answer();
    this.#held = undefined;
  }

  announce(hash = BUILD.hash): void {
    const me = identityOf(readProcess(process.pid)!);
    announce(this.places.serversDir, {
      format: 1,
      oldest_reader: 1,
      name: "blazing",
      icon: "🔥",
      git_hash: hash,
      version: "0.1.0",
      built_at_ms: 500,
      socket: join(this.dir, "s.sock"),
      pid: process.pid,
      start_ticks: me.startTicks,
      boot_id: me.bootId,
      started_at: new Date(0).toISOString(),
      primary: true,
      generation: 1,
      sessions: this.sessions.map(({ id, name }) => ({ id, name })),
    });
  }

  watch(): Servers {
    const servers = new Servers({
      places: this.places,
      build: BUILD,
      dispatch: (action) => {
        if (action.type !== "sessions") return;
        this.told.push(action);
        this.events.emit("told");
      },
      signal: this.ending.signal,
      retryMs: 5,
      answerTimeoutMs: 100,
    });
    servers.refresh();
    return servers;
  }

  /** Resolves when `event` has come and `holds`. */
  async until(event: "told" | "heard", holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!holds()) await once(this.events, event, { signal });
  }

  get last(): Extract<Action, { type: "sessions" }> {
    return this.told.at(-1)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
    rmSync(this.dir, { recursive: true, force: true });
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    const lines = new LineSplitter(Number.POSITIVE_INFINITY);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      for (const line of lines.push(bytes)) this.#answer(socket, JSON.parse(line));
    });
  }

  #answer(socket: net.Socket, { id, type }: { id: number; type: string }): void {
    if (type !== "hello") this.heard.push(type);
    this.events.emit("heard");
    const answer = (): void => void socket.write(`${JSON.stringify({ id, ...this.#answerTo(type) })}\n`);
    if (this.#held) this.#held.push(answer);
    else answer();
  }

  #answerTo(type: string): object {
    const { sessions } = this;
    if (type === "session.list") return { success: true, data: { sessions } };
    if (type !== "subscribe") return { success: true, data: { protocol: 1, server: "blazing" } };
    if (this.isOld) return { success: false, code: "UNKNOWN_STREAM", error: "There is no stream called sessions." };
    return {
      success: true,
      data: { streams: { sessions: { seq: this.#seq, snapshot: { sessions, servers: [] } } } },
    };
  }
}

test("servers: each tells of its sessions as it happens, and is asked nothing more", async () => {
  await using world = await new World().listen();
  world.sessions = [session("fox")];
  world.announce();
  world.watch();
  await world.until("told", () => world.last?.servers[0]?.sessions.length === 1);
  const { length } = world.told;
  world.change(session("fox"));
  world.change(session("fox", { state: "needs_you" }));
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.state === "needs_you");
  assert.equal(world.told.length, length + 1, "of news alone, and once of what comes together");
  assert.deepEqual(world.heard, ["subscribe"]);
});

test("servers: what none tells by itself comes with what each uses, and changes nothing else", async () => {
  await using world = await new World().listen();
  world.sessions = [session("fox", { state: "working" })];
  world.announce();
  const servers = world.watch();
  await world.until("told", () => world.last?.servers[0]?.sessions.length === 1);
  const active_at = new Date(5_000).toISOString();
  world.sessions = [session("fox", { state: "idle", active_at, unread: 2, memory_bytes: 1_000 })];
  assert.equal((await servers.measured())[0]?.memory_bytes, 1_000);
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.unread === 2);
  const [fox] = world.last.servers[0]!.sessions;
  assert.deepEqual([fox?.state, fox?.active_at, fox?.memory_bytes], ["working", active_at, undefined]);
  world.change(session("fox", { state: "idle" }));
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.state === "idle");
  assert.equal(world.last.servers[0]?.sessions[0]?.unread, 2);
});

test("servers: a build that does not tell of sessions is asked when somebody looks", async () => {
  await using world = await new World().listen();
  world.isOld = true;
  world.sessions = [session("fox")];
  world.announce();
  const servers = world.watch();
  await world.until("told", () => world.last?.servers[0]?.sessions.length === 1);
  assert.deepEqual(world.heard, ["subscribe", "session.list"]);
  world.sessions = [session("fox", { state: "needs_you" })];
  await servers.measured();
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.state === "needs_you");
  world.sessions = [session("fox", { title: "named" })];
  servers.refresh();
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.title === "named");
});

test("servers: one without sessions is not asked; the registry's word begins it and ends it", async () => {
  await using world = await new World().listen();
  world.announce();
  world.watch();
  assert.deepEqual(
    world.last.servers.map(({ name }) => name),
    ["blazing"],
  );
  assert.deepEqual(world.heard, []);
  world.sessions = [session("fox")];
  world.announce();
  await world.until("told", () => world.last.servers[0]?.sessions.length === 1);
  withdraw(world.places.serversDir, "blazing", process.pid);
  await world.until("told", () => world.last.servers.length === 0);
});

test("servers: a silent one keeps its sessions and is said to be silent, until it answers", async () => {
  await using world = await new World().listen();
  world.sessions = [session("fox")];
  world.announce();
  const servers = world.watch();
  await world.until("told", () => world.last?.servers[0]?.sessions.length === 1);
  world.stop();
  await servers.measured();
  await world.until("told", () => world.last.servers[0]?.isSilent === true);
  assert.equal(world.last.servers[0]?.sessions.length, 1);
  world.goOn();
  await servers.measured();
  await world.until("told", () => world.last.servers[0]?.isSilent === false);
});

test("servers: one that hangs from the start is shown with the sessions that its entry names", async () => {
  await using world = await new World().listen();
  world.sessions = [session("fox")];
  world.stop();
  world.announce();
  world.watch();
  await world.until("told", () => world.last?.servers[0]?.isSilent === true);
  assert.deepEqual(
    world.last.servers[0]?.sessions.map(({ name, icon, state }) => `${icon} ${name} ${state}`),
    ["🦊 fox unknown"],
  );
  world.sessions = [];
  world.goOn();
  await world.until("told", () => world.last.servers[0]?.isSilent === false);
  assert.deepEqual(world.last.servers[0]?.sessions, []);
});

test("servers: nothing is told while the screen is not shown", async () => {
  await using world = await new World().listen();
  world.sessions = [session("fox")];
  world.announce();
  const servers = world.watch();
  await world.until("told", () => world.last?.servers[0]?.sessions.length === 1);
  servers.setShown(false);
  await world.until("heard", () => world.heard.at(-1) === "unsubscribe");
  world.sessions = [session("fox", { title: "changed" })];
  servers.refresh();
  assert.deepEqual(world.heard, ["subscribe", "unsubscribe"]);
  servers.setShown(true);
  await world.until("told", () => world.last.servers[0]?.sessions[0]?.title === "changed");
});

test("servers: code older than this build's is old, and new sessions get a server of their own", async () => {
  await using world = await new World().listen();
  world.announce("old0001");
  const servers = world.watch();
  assert.equal(world.last.servers[0]?.isOld, true);
  assert.equal(world.last.latest, null);
  assert.equal(servers.latest(), undefined);
});
