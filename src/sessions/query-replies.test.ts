import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { QueryReplies } from "./query-replies.ts";

class Asked {
  readonly clock = new HandClock();
  readonly written: string[] = [];
  seenFrom: number | undefined;
  readonly replies: QueryReplies;

  constructor({ isTakenOver = false } = {}) {
    this.replies = new QueryReplies({
      clock: this.clock,
      isTakenOver,
      seenFrom: () => this.seenFrom,
      write: (bytes) => this.written.push(bytes.toString("latin1")),
    });
  }
}

test("replies: sent when no terminal has seen the question, left to the terminal that has", () => {
  const asked = new Asked();
  asked.replies.push("nobody", 10);
  asked.seenFrom = 20;
  asked.replies.push("painted behind it", 20);
  asked.replies.push("seen", 21);
  asked.seenFrom = undefined;
  asked.replies.push("gone", 30);
  assert.deepEqual(asked.written, ["nobody", "painted behind it", "gone"]);
});

test("replies: after a change of servers, a client that comes back answers by itself", () => {
  for (const [comesBack, wanted] of [
    [true, []],
    [false, ["asked", "again"]],
  ] as const) {
    const asked = new Asked({ isTakenOver: true });
    asked.replies.push("asked", 10);
    asked.replies.push("again", 20);
    assert.deepEqual(asked.written, []);
    if (comesBack) asked.seenFrom = 0;
    asked.clock.leap(300);
    assert.deepEqual(asked.written, wanted);
  }
});

test("replies: none after the end", () => {
  const asked = new Asked({ isTakenOver: true });
  asked.replies.push("asked", 10);
  asked.replies.close();
  asked.clock.leap(300);
  assert.deepEqual(asked.written, []);
});
