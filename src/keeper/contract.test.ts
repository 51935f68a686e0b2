import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CALLS } from "../protocol/testing/keeper-contract.ts";
import type { Holder } from "./testing/holder.ts";
import { KeeperProcess } from "./testing/keeper-process.ts";

/** A keeper of today against the calls as they were released: what an old server asks is answered with what it reads. */
const GOLDEN = join(import.meta.dirname, "..", "protocol", "golden");
const SERVES = "echo warm >&4; read go <&4; echo ready >&4; read drain <&4; exit 0";

type Json = Record<string, unknown>;

/** The released request with what this run needs in place of what its example has; resolves once its answer has the released shape. */
async function ask(holder: Holder, name: keyof typeof CALLS, changes: Json = {}): Promise<Json> {
  const [request = "", answer = ""] = readFileSync(join(GOLDEN, `call-${name}.jsonl`), "utf8").split("\n");
  const data = (await holder.call({ ...JSON.parse(request), ...changes, later: "unknown to it" })) as Json;
  assertHas(data, JSON.parse(answer).data, name);
  return data;
}

/** Present at times only; that they may be is said where they stand. */
const OPTIONAL = ["name", "fellBack", "stalled"];

/** `actual` has each field of `released`, of the same type; more of them is no harm. */
function assertHas(actual: unknown, released: unknown, place: string): void {
  if (Array.isArray(released)) {
    assert.ok(Array.isArray(actual) && actual.length > 0, `${place} is a list with something in it`);
    return assertHas(actual[0], released[0], `${place}[0]`);
  }
  if (typeof released !== "object" || released === null) {
    return assert.equal(typeof actual, typeof released, `${place}: the contract is frozen`);
  }
  assert.ok(typeof actual === "object" && actual !== null, place);
  for (const [key, value] of Object.entries(released)) {
    if (OPTIONAL.includes(key) && !(key in actual)) continue;
    assert.ok(key in actual, `${place}.${key} is missing: the contract is frozen`);
    assertHas((actual as Json)[key], value, `${place}.${key}`);
  }
}

test("contract: every call as it was released is answered in the shape that was released", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const asked = new Set<string>();
  const say = (name: keyof typeof CALLS, changes: Json = {}) => {
    asked.add(name);
    return ask(holder, name, changes);
  };
  const path = (file: string) => join(keeper.directory, file);
  const spec = {
    name: "blazing",
    hash: "aaa",
    command: ["sh", "-c", SERVES, "generation"],
    logPath: path("blazing.log"),
  };
  await say("hello");
  await say("server.start", { spec, fallback: spec, socketPath: path("blazing.sock") });
  const front = { ...spec, name: "front", hash: "bbb", overlapMs: 1_000 };
  await say("server.start.listen", { spec: front, listen: { host: "127.0.0.1", port: 0 } });
  await say("list");
  await say("server.replace", { spec });

  for (const name of ["terminal.open", "pipe.open"] as const) {
    mkdirSync(path(name));
    const changes = { id: name, name, journalDir: path(name), command: ["/bin/sh", "-c", "read x; exit 3"] };
    const { segment, output, input } = await say(name, changes);
    assert.deepEqual([segment, output, input], [9, 5_000_000_000, 42], "a journal that is there goes on");
  }
  await say("channels");
  await say("lease.take", { ids: ["terminal.open"] });
  await say("lease.take.from", { ids: ["terminal.open"], from: { id: "terminal.open", epoch: 2 } });
  const leased = { id: "terminal.open", epoch: 3 };
  await say("resize", leased);
  await say("rename", leased);
  await say("input.seen", leased);
  await say("input.end", leased);
  await say("signal", { ...leased, signal: 0 });
  const { channels } = await holder.call({ call: "channels" });
  const { channel } = channels.find(({ id }) => id === "terminal.open")!;
  await holder.reply(channel, { epoch: 3, source: "00000000000000a1", offset: 0, text: "\n" });
  assert.deepEqual(Object.keys(await holder.exit(channel)), ["code", "signal", "at"]);
  await say("close", leased);
  await say("server.stop");
  await say("server.stop", { name: "front" });
  const released = readdirSync(GOLDEN).flatMap((file) => /^call-(.+)\.jsonl$/.exec(file)?.[1] ?? []);
  assert.deepEqual([...asked].sort(), released.sort());
});
