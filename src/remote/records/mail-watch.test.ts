import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { utf8 } from "../../sealing/bytes.ts";
import type { ConnectUnit } from "../network.ts";
import { type MailLook, MailWatch } from "./mail-watch.ts";

/** A primary server with a mailbox behind it. */
class Home {
  readonly clock = new HandClock();
  readonly looks: MailLook[] = [];
  readonly asked: string[] = [];
  readonly used = Promise.withResolvers<void>();
  messages: object[] = [];
  streams: string[] = [];
  isAway = false;
  tell: (event: string) => void = () => {};
  cut: () => void = () => {};

  connect: ConnectUnit = async (_target, { onBytes, onClosed }) => {
    if (this.isAway) throw new Error("it is being replaced");
    const splitter = new LineSplitter();
    const say = (value: object): void => queueMicrotask(() => onBytes(utf8(`${JSON.stringify(value)}\n`)));
    this.tell = (event) => say({ event, stream: "mail", seq: 1, data: {} });
    this.cut = () => queueMicrotask(onClosed);
    return {
      write: (bytes) => {
        for (const line of splitter.push(bytes)) {
          const { id, type, payload } = JSON.parse(line);
          this.asked.push(type);
          if (type === "hello") say({ success: true, data: { scopes: payload.scopes } });
          else say({ id, success: true, data: type === "subscribe" ? {} : { messages: this.messages } });
          if (type === "subscribe") this.streams = payload.streams;
          if (type === "mail.history") assert.deepEqual(payload, { as: "you", limit: 200 });
        }
      },
      pause() {},
      resume() {},
      close: () => queueMicrotask(onClosed),
    };
  };

  watch(): MailWatch {
    const { connect, clock } = this;
    const isUsed = (): Promise<void> => this.used.promise;
    return new MailWatch({ connect, clock, log: silentLog, isUsed, onMail: (look) => void this.looks.push(look) });
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      await this.clock.passSlowly(50);
    }
  }
}

const unread = (from: string): object => ({ message: { from }, receipts: [{ to: "you", state: "queued" }] });

test("mail watch: a mailbox that is not used is asked nothing; from its first message on it is looked at", async () => {
  const home = new Home();
  const watch = home.watch();
  await home.pass(60_000);
  assert.deepEqual(home.asked, []);
  home.used.resolve();
  await home.pass(1_000);
  assert.deepEqual(home.asked, ["hello", "subscribe", "mail.history"]);
  assert.equal(home.looks.length, 1);
  watch.close();
});

test("mail watch: what happens within ten seconds is one look, and programs that come and go are none", async () => {
  const home = new Home();
  home.used.resolve();
  const watch = home.watch();
  await home.pass(1_000);
  for (let count = 0; count < 20; count++) {
    home.tell("message_sent");
    await home.pass(100);
  }
  assert.equal(home.looks.length, 1);
  await home.pass(10_000);
  assert.equal(home.looks.length, 2);
  for (let count = 0; count < 20; count++) home.tell("participant_changed");
  await home.pass(30_000);
  assert.equal(home.looks.length, 2);
  home.tell("receipt_changed");
  await home.pass(500);
  assert.equal(home.looks.length, 3, "after a quiet time it is soon");
  watch.close();
});

test("mail watch: of whom something is unread is followed, since that it was read is said there", async () => {
  const home = new Home();
  home.used.resolve();
  home.messages = [unread("owl"), unread("fox"), unread("owl")];
  const watch = home.watch();
  await home.pass(1_000);
  assert.deepEqual(home.streams, ["mail", "mail/you", "mail/fox", "mail/owl"]);
  await home.pass(11_000);
  assert.equal(home.looks.length, 2, "what was said there before it was followed");
  home.messages = [];
  home.tell("receipt_changed");
  await home.pass(11_000);
  assert.deepEqual(home.streams, ["mail", "mail/you"]);
  await home.pass(30_000);
  assert.equal(home.looks.length, 3);
  watch.close();
});

test("mail watch: a server that is being replaced is followed again, and looked at; after the end nothing is", async () => {
  const home = new Home();
  home.used.resolve();
  const watch = home.watch();
  await home.pass(1_000);
  home.isAway = true;
  home.cut();
  await home.pass(12_000);
  home.isAway = false;
  await home.pass(12_000);
  assert.equal(home.looks.length, 2);
  watch.close();
  home.tell("message_sent");
  const { length } = home.asked;
  await home.pass(30_000);
  assert.deepEqual([home.looks.length, home.asked.length], [2, length]);
});
