import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeeperCall, KeeperChannel } from "../protocol/keeper-calls.ts";
import { AgentWriter } from "./agent-writer.ts";
import type { ChannelWrite, KeeperPort } from "./keeper-port.ts";

/** A keeper that takes the bytes of each source once, and acknowledges when it is told to. */
class MemoryKeeper implements KeeperPort {
  readonly taken = new Map<string, string>();
  readonly writes: ChannelWrite[] = [];

  async call(call: KeeperCall): Promise<never> {
    assert.equal(call.call, "input.seen");
    const { source } = call as { source: string };
    return { bytes: this.taken.get(source)?.length ?? 0 } as never;
  }

  write(_: number, write: ChannelWrite): void {
    this.writes.push(write);
    this.taken.set(write.source, Buffer.from(write.bytes).toString());
  }

  listen(): void {}
  forget(): void {}
}

const CHANNEL = { id: "fox", channel: 7, epoch: 3 } as KeeperChannel;
const line = (text: string): Uint8Array => Buffer.from(`${text}\n`);

function writerOf(keeper: MemoryKeeper): { writer: AgentWriter; staleCount: () => number } {
  let staleCount = 0;
  const onStale = (): void => {
    staleCount += 1;
  };
  return { writer: new AgentWriter({ channel: CHANNEL, keeper, onStale }), staleCount: () => staleCount };
}

/** What was begun before has come to its end. */
const turn = (): Promise<void> => new Promise((wake) => setImmediate(wake));

test("write: resolves when the keeper acknowledges it, or when the journal has it", async () => {
  const keeper = new MemoryKeeper();
  const { writer } = writerOf(keeper);
  const first = writer.write(line("one"), { key: "0:one" });
  const second = writer.write(line("two"), { key: "0:two" });
  await turn();
  assert.deepEqual(
    keeper.writes.map(({ epoch, offset, bytes }) => [epoch, offset, Buffer.from(bytes).toString()]),
    [
      [3, 0, "one\n"],
      [3, 0, "two\n"],
    ],
  );
  writer.onAck(keeper.writes[0]!.source);
  writer.onInput(keeper.writes[1]!.source);
  await Promise.all([first, second]);
});

test("write: a line that a server before has written is not written again", { timeout: 5_000 }, async () => {
  const keeper = new MemoryKeeper();
  const former = writerOf(keeper).writer.write(line("one"), { key: "0:one" });
  former.catch(() => {});
  await turn();
  const { writer } = writerOf(keeper);
  await writer.write(line("one, said otherwise and longer"), { key: "0:one" });
  assert.equal(keeper.writes.length, 1);
});

test("write: the same key at once is one line", async () => {
  const keeper = new MemoryKeeper();
  const { writer } = writerOf(keeper);
  const both = [writer.write(line("one"), { key: "0:one" }), writer.write(line("one"), { key: "0:one" })];
  await turn();
  assert.equal(keeper.writes.length, 1);
  writer.onAck(keeper.writes[0]!.source);
  await Promise.all(both);
});

test("write: refused by an old epoch it fails and says so; closed, nothing is written", async () => {
  const keeper = new MemoryKeeper();
  const { writer, staleCount } = writerOf(keeper);
  const refused = writer.write(line("one"), { key: "0:one" });
  await turn();
  writer.onRefused(keeper.writes[0]!.source, "STALE_EPOCH");
  await assert.rejects(refused, { code: "AGENT_DETACHED" });
  assert.equal(staleCount(), 1);
  const ended = writer.write(line("two"), { key: "0:two" });
  await turn();
  writer.onRefused(keeper.writes[1]!.source, "PROGRAM_ENDED");
  await assert.rejects(ended, { code: "AGENT_ENDED" });
});
