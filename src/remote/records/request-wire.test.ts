import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../sealing/bytes.ts";
import { requestWire } from "./request-wire.ts";

const MIB = 1024 * 1024;

/** A stream that was greeted, whose every request is answered by so many bytes. */
async function greeted(answerBytes: number) {
  const heard: number[] = [];
  const closed = Promise.withResolvers<void>();
  const wire = requestWire({
    ask: async () => new Uint8Array(answerBytes),
    onBytes: (bytes) => void heard.push(bytes.length),
    onClosed: closed.resolve,
  });
  const ask = (line: string): Promise<"taken" | "closed"> =>
    Promise.race([
      new Promise<"taken">((resolve) => wire.write(utf8(`${line}\n`), () => resolve("taken"))),
      closed.promise.then(() => "closed" as const),
    ]);
  await ask(JSON.stringify({ payload: { scopes: ["view"] } }));
  heard.length = 0;
  return { wire, ask, heard };
}

test("request wire: answers wait for a device that reads slowly, and go on in their order", async () => {
  const { wire, ask, heard } = await greeted(3 * MIB);
  wire.pause();
  for (let count = 0; count < 2; count++) assert.equal(await ask("{}"), "taken");
  assert.deepEqual(heard, []);
  wire.resume();
  assert.deepEqual(heard, [3 * MIB + 1, 3 * MIB + 1]);
  wire.pause();
  assert.equal(await ask("{}"), "taken", "what has gone does not count any more");
});

test("request wire: a device that asks on and reads nothing has its stream ended", async () => {
  const { wire, ask, heard } = await greeted(MIB);
  wire.pause();
  const heardOf: string[] = [];
  for (let count = 0; count < 6; count++) heardOf.push(await ask("{}"));
  assert.deepEqual([heardOf[3], heardOf[5]], ["taken", "closed"]);
  wire.resume();
  assert.deepEqual(heard, []);
});
