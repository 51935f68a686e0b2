import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../../client/client.ts";
import type { SubscriptionItem } from "../../client/subscription.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { Traffic, type TrafficSink } from "./watch-traffic.ts";

/** A leader whose log holds the numbers that `seqs` has by then. */
class Leader {
  seqs: number[] = [];
  inHand = 0;
  mostInHand = 0;
  largestPage = 0;
  /** A page ends after so many messages, as when their bodies are large. */
  pageMax = 500;
  readonly items: SubscriptionItem[] = [];

  client(): Client {
    const request = async (type: string, payload: { before: number; limit: number }): Promise<unknown> => {
      if (type === "mail.status") return { status: { log_head: this.seqs.at(-1) ?? 0 } };
      this.inHand += 1;
      this.mostInHand = Math.max(this.mostInHand, this.inHand);
      await new Promise((wake) => setImmediate(wake));
      const found = this.seqs.filter((seq) => seq < payload.before).reverse();
      const page = found.slice(0, Math.min(this.pageMax, payload.limit));
      this.largestPage = Math.max(this.largestPage, page.length);
      this.inHand -= 1;
      return {
        messages: page.map((seq) => ({ message: { seq }, receipts: [] })),
        has_more: found.length > page.length,
      };
    };
    const items = this.items;
    const subscribe = async function* (): AsyncGenerator<SubscriptionItem> {
      yield* items;
    };
    return { request, subscribe } as unknown as Client;
  }
}

const snapshot = (epoch: number, more: object = {}): SubscriptionItem => ({
  kind: "snapshot",
  stream: "mail",
  seq: 0,
  snapshot: { epoch, ...more },
  gap: false,
});
const sent = (leader: Leader, ...seqs: number[]): SubscriptionItem => {
  const event = { event: "message_sent", stream: "mail", seq: 1, data: {} as Record<string, unknown> };
  // What has been sent by the time that it is told of.
  Object.defineProperty(event.data, "seq", {
    get() {
      leader.seqs.push(...seqs.filter((seq) => !leader.seqs.includes(seq)));
      return seqs.at(-1);
    },
  });
  return { kind: "event", event };
};

async function watched(leader: Leader): Promise<{ seqs: number[]; led: unknown[]; atOnce: number }> {
  const seen = { seqs: [] as number[], led: [] as unknown[], atOnce: 0 };
  const sink: TrafficSink = {
    begun() {},
    async show(messages: readonly MailMessage[]) {
      seen.seqs.push(...messages.map(({ seq }) => seq));
      seen.atOnce = Math.max(seen.atOnce, messages.length);
      await new Promise((wake) => setImmediate(wake)); // a slow terminal
    },
    led: (one) => void seen.led.push(one),
  };
  await new Traffic(leader.client(), {}).follow(sink, new AbortController().signal);
  return seen;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

test("watch: a flood is read in windows, one at a time and in order; what was there before is not shown", async () => {
  const leader = new Leader();
  leader.seqs = range(1, 20);
  leader.items.push(snapshot(1), sent(leader, ...range(21, 10_020)), ...range(1, 500).map(() => sent(leader, 10_020)));
  const { seqs, atOnce } = await watched(leader);
  assert.deepEqual(seqs, range(21, 10_020));
  assert.deepEqual([leader.mostInHand, leader.largestPage, atOnce], [1, 50, 50]);
});

test("watch: a page that ends early, and numbers that are somebody else's, leave no hole", async () => {
  const leader = new Leader();
  leader.pageMax = 7;
  const odd = range(1, 400).filter((seq) => seq % 3 === 0 || seq > 380);
  leader.items.push(snapshot(1), sent(leader, ...odd));
  assert.deepEqual((await watched(leader)).seqs, odd);
});

test("watch: another leader is told of once, with what is known of it, and what was sent meanwhile is shown", async () => {
  const leader = new Leader();
  const next = { leader: { pid: 12, epoch: 2 }, reason: "taken_over", gap_ms: 3.5 };
  const changed: SubscriptionItem = {
    kind: "event",
    event: { event: "leader_changed", stream: "mail", seq: 2, data: next },
  };
  leader.items.push(snapshot(1), sent(leader, 1), snapshot(2, next), changed, sent(leader, 2, 3), snapshot(2, next));
  const { led, seqs } = await watched(leader);
  assert.deepEqual(led, [{ pid: 12, epoch: 2, reason: "taken_over", gapMs: 3.5 }]);
  assert.deepEqual(seqs, [1, 2, 3]);
});
