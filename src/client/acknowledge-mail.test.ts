import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledgeUpTo } from "./acknowledge-mail.ts";
import type { Client } from "./client.ts";

/** A mailbox that hands out at most two at a time, in order, and keeps in hand what was not acknowledged. */
function mailbox(seqs: readonly number[]) {
  const unread = new Set(seqs);
  const inHand = new Set<number>();
  const request = async (type: string, payload: Record<string, unknown>): Promise<unknown> => {
    if (type === "mail.ack") {
      const acknowledged = (payload.ids as string[]).filter((id) => inHand.delete(Number(id)));
      return { acknowledged };
    }
    if (type === "mail.nak") {
      for (const id of payload.ids as string[]) if (inHand.delete(Number(id))) unread.add(Number(id));
      return { returned: payload.ids };
    }
    const offered = [...unread].slice(0, Math.min(2, payload.limit as number));
    for (const seq of payload.peek ? [] : offered) {
      unread.delete(seq);
      inHand.add(seq);
    }
    return { messages: offered.map((seq) => ({ id: String(seq), seq })) };
  };
  return { client: { request } as unknown as Client, unread, inHand };
}

test("mail: what its sender wrote before is done with a message, what came later waits, and nothing is left in hand", async () => {
  const { client, unread, inHand } = mailbox([3, 5, 8, 9]);
  assert.equal(await acknowledgeUpTo(client, "you", { from: "owl", seq: 8 }), 3);
  assert.deepEqual([[...unread], [...inHand]], [[9], []]);
});

test("mail: of a message that another reader has in hand, nothing later is taken", async () => {
  const { client, unread, inHand } = mailbox([9]);
  assert.equal(await acknowledgeUpTo(client, "you", { from: "owl", seq: 8 }), 0);
  assert.deepEqual([[...unread], [...inHand]], [[9], []]);
});

test("mail: of two calls at once neither takes what came later, and it waits for its reader", async () => {
  const { client, unread, inHand } = mailbox([3, 5, 8, 9]);
  const calls = [1, 2].map(() => acknowledgeUpTo(client, "you", { from: "owl", seq: 5 }));
  assert.deepEqual(await Promise.all(calls), [2, 0]);
  assert.deepEqual([[...unread].sort(), [...inHand]], [[8, 9], []]);
});
