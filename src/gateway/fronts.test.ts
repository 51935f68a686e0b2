import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitUntil } from "../../test/harness/wait-until.ts";
import { silentLog } from "../platform/log.ts";
import { WarrenError } from "../protocol/errors.ts";
import { FRONT_FORMAT, type FrontTable, type FrontToServer } from "../protocol/front-messages.ts";
import type { KeeperServer } from "../protocol/keeper-calls.ts";
import { type FrontEvents, Fronts, type FrontsOptions } from "./fronts.ts";
import { Generation } from "./testing/front-generation.ts";

const TABLE = {
  ...{ format: FRONT_FORMAT, revision: 7, mode: "dev", project: "site", routes: [], workers: [], draining: [] },
  ...{ trustedProxies: [], hasPublicMetrics: false, sessions: [] },
} satisfies FrontTable;
const LISTEN = { host: "127.0.0.1", port: 8080 };

/** A keeper that finds generation 1, and starts the next one when it is asked for one; in the place of another it starts none. */
function openFronts(
  dir: string,
  { hash = "h", events = {} }: { hash?: string; events?: Partial<FrontEvents> } = {},
): { fronts: Fronts; calls: string[] } {
  const calls: string[] = [];
  const server = (generation: number): KeeperServer =>
    ({ name: "front", generation, hash: "h", state: "ready", pid: 1, address: LISTEN }) as unknown as KeeperServer;
  const keeper = {
    call: async ({ call }: { call: string }) => {
      calls.push(call);
      if (call === "server.replace") throw new WarrenError("SERVER_START_FAILED", "It did not start.");
      return call === "list" ? { servers: [server(1)] } : server(2);
    },
  } as unknown as FrontsOptions["keeper"];
  const nothing = (): void => {};
  const fronts = new Fronts(
    {
      keeper,
      spec: { name: "front", hash, command: [], logPath: "" },
      listen: LISTEN,
      socketPathOf: (generation) => join(dir, `${generation}.sock`),
      log: silentLog,
      events: {
        ...{ onApplied: nothing, onDrained: nothing, onTrouble: nothing, onWaiting: nothing },
        onSign: async () => {},
        ...events,
      },
    },
    TABLE,
  );
  return { fronts, calls };
}

const saysApplied = (_: Generation, socket: net.Socket): void =>
  void socket.write(`${JSON.stringify({ type: "applied", revision: TABLE.revision })}\n`);

test("fronts: one that dies between being found and being dialled is followed by its next generation", async () => {
  const dir = mkdtempSync(join(tmpdir(), "fronts-"));
  try {
    await using second = await Generation.at(join(dir, "2.sock"), 2, saysApplied);
    const { fronts, calls } = openFronts(dir);
    await fronts.open();
    assert.deepEqual(calls, ["list", "server.start"]);
    assert.deepEqual(second.told, ["table"]);
    assert.equal(fronts.server?.generation, 2);
    fronts.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("fronts: one that dies before it goes by its table is not waited for", { timeout: 4_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "fronts-"));
  try {
    await using first = await Generation.at(join(dir, "1.sock"), 1, (_, socket) => socket.destroy());
    await using second = await Generation.at(join(dir, "2.sock"), 2, saysApplied);
    const { fronts } = openFronts(dir);
    await fronts.open();
    assert.deepEqual(first.told, ["table"]);
    fronts.close();
    void second;
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("fronts: one of an older build that cannot be replaced goes on", { timeout: 4_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "fronts-"));
  try {
    await using first = await Generation.at(join(dir, "1.sock"), 1, saysApplied);
    const { fronts, calls } = openFronts(dir, { hash: "newer" });
    await fronts.open();
    assert.deepEqual(calls, ["list", "server.replace"]);
    assert.deepEqual([first.told, fronts.server?.generation, fronts.isConnected], [["table"], 1, true]);
    fronts.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("fronts: what was said of an instance that drained once is not taken for the next time", async () => {
  const dir = mkdtempSync(join(tmpdir(), "fronts-"));
  const [applied, drained]: [number[], string[]] = [[], []];
  const events = {
    onApplied: (revision: number) => void applied.push(revision),
    onDrained: (instance: string) => void drained.push(instance),
  };
  const { fronts } = openFronts(dir, { events });
  let line: net.Socket | undefined;
  try {
    await using first = await Generation.at(join(dir, "1.sock"), 1, (one, socket) => {
      line = socket;
      saysApplied(one, socket);
    });
    using _ = { [Symbol.dispose]: () => fronts.close() };
    await fronts.open();
    const says = (message: FrontToServer): void => void line!.write(`${JSON.stringify(message)}\n`);
    const inForce = async (revision: number, draining: string[]): Promise<void> => {
      fronts.tell({ ...TABLE, revision, draining });
      says({ type: "applied", revision });
      await waitUntil(async () => applied.includes(revision), { what: `revision ${revision}` });
    };
    await inForce(8, ["api-1"]);
    says({ type: "drained", instance: "api-1" });
    await waitUntil(async () => drained.length === 1, { what: "the first time" });
    await inForce(9, []);
    await inForce(10, ["api-1"]);
    assert.deepEqual(drained, ["api-1"]);
    says({ type: "drained", instance: "api-1" });
    await waitUntil(async () => drained.length === 2, { what: "the second time" });
    void first;
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("fronts: the next generation is told the health that was told last", { timeout: 8_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "fronts-"));
  const { fronts } = openFronts(dir);
  let line: net.Socket | undefined;
  try {
    await using first = await Generation.at(join(dir, "1.sock"), 1, (one, socket) => {
      line = socket;
      saysApplied(one, socket);
    });
    await using second = await Generation.at(join(dir, "2.sock"), 2, saysApplied);
    using _ = { [Symbol.dispose]: () => fronts.close() };
    await fronts.open();
    fronts.say({ type: "health", workers: [{ worker: "api", state: "unhealthy", instances: [] }] });
    fronts.say({ type: "reload", workers: ["api"] });
    await waitUntil(async () => first.told.includes("reload"), { what: "what the first is told" });
    line!.destroy();
    await waitUntil(async () => second.told.length === 2, { what: "what the second is told", deadlineMs: 2_000 });
    assert.deepEqual(second.told, ["table", "health"]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
