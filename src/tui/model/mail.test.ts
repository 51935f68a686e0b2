import assert from "node:assert/strict";
import { test } from "node:test";
import { mailEntry, Played, participant } from "../../../test/tui/played.ts";
import { selectedEntry, TRAFFIC_MAX } from "./mail.ts";

const shownSeqs = ({ model }: Played): number[] => model.mail.traffic.map(({ message }) => message.seq);
const selectedSeq = ({ model }: Played): number | undefined => selectedEntry(model.mail)?.message.seq;
const asked = (played: Played) => played.effects.map((effect) => (effect.kind === "mail" ? effect.ask : effect.kind));

/** Open, with three participants and messages `from` to `to`. */
function open(from = 1, to = 5): Played {
  const played = new Played().keys("6");
  played.do({ type: "mail", news: { kind: "state", state: "live" } });
  return played
    .participants(participant("bear", "gone"), participant("fox"), participant("owl", "idle"))
    .traffic(from, to);
}

test("mail: 6 opens it and watches everybody; escape goes back step by step and ends the watching", () => {
  const played = new Played().keys("6");
  assert.deepEqual(asked(played), [{ ask: "watch", withName: null }]);
  played.traffic(1, 3).keys("tab", "enter");
  assert.deepEqual(asked(played), [{ ask: "open", seq: 3 }]);
  played.do({ type: "mail", news: { kind: "opened", entry: mailEntry(3) } });
  assert.ok(played.model.mail.opened);
  played.keys("esc");
  assert.equal(played.model.mail.opened, null);
  assert.equal(played.model.mail.focus, "traffic");
  played.keys("esc");
  assert.equal(played.model.mail.focus, "participants");
  played.keys("esc");
  assert.deepEqual([played.model.mail.isOpen, asked(played)], [false, [{ ask: "leave" }]]);
  assert.deepEqual(shownSeqs(played), []);
  played.traffic(1, 3);
  assert.deepEqual(shownSeqs(played), [], "what comes late is of no use");
});

test("mail: keys of units do nothing there, those of the mail nothing elsewhere", () => {
  assert.deepEqual(asked(open().keys("s", "S", "d", "n", "m", "+")), []);
  assert.equal(open().keys("n").model.overlay, null);
  assert.equal(new Played().keys("w").model.overlay, null);
  const units = open().keys("1");
  assert.deepEqual([units.model.mail.isOpen, units.model.focus], [false, "units"]);
});

test("mail: participants keep their rows; who is there comes first at the beginning, who is new at the end", () => {
  const played = open();
  const names = (): string[] => played.model.mail.participants.map(({ name }) => name);
  assert.deepEqual(names(), ["fox", "owl", "bear"]);
  played.participants(participant("ant"), participant("bear"), participant("fox", "gone"), participant("owl"));
  assert.deepEqual(names(), ["fox", "owl", "bear", "ant"]);
  played.keys("j", "j");
  assert.equal(played.model.mail.withName, "owl");
  played.participants(participant("ant"), participant("fox"));
  assert.ok(names().includes("owl"), "what the cursor is on stays");
});

test("mail: moving to a participant asks for its messages, and shows no others under its name", () => {
  const played = open().keys("j");
  assert.deepEqual(asked(played), [{ ask: "watch", withName: "fox" }]);
  played.traffic(1, 9);
  assert.notEqual(shownSeqs(played).length, 9, "an answer about somebody else");
  played.traffic(2, 4, { withName: "fox" });
  assert.deepEqual(shownSeqs(played), [2, 3, 4]);
});

test("mail: the cursor goes with the newest, or stays where it is", () => {
  const played = open().keys("tab");
  assert.equal(selectedSeq(played), 5);
  played.traffic(1, 8);
  assert.equal(selectedSeq(played), 8);
  played.keys("k", "k");
  played.traffic(1, 12);
  assert.equal(selectedSeq(played), 6);
  played.keys("G").traffic(1, 13);
  assert.equal(selectedSeq(played), 13);
});

test("mail: keeps what was read before where it meets what is new, never a hole, and no more than its limit", () => {
  const played = open(1, 100);
  played.traffic(51, 150, { hasOlder: true });
  assert.deepEqual([shownSeqs(played)[0], shownSeqs(played).length], [1, 150]);
  played.traffic(400, 499, { hasOlder: true });
  assert.deepEqual([shownSeqs(played)[0], shownSeqs(played).length], [400, 100]);
  for (let from = 450; from < 2_000; from += 50) played.traffic(from, from + 99, { hasOlder: true });
  assert.equal(shownSeqs(played).length, TRAFFIC_MAX);
  assert.equal(played.model.mail.hasOlder, true);
});

test("mail: reply goes to the sender of what was to me as an answer, of anything else as a message", () => {
  const played = open(1, 0).do({
    type: "mail",
    news: {
      kind: "traffic",
      withName: null,
      hasOlder: false,
      entries: [mailEntry(1, { from: "owl", to: "fox" }), mailEntry(2, { from: "owl", to: "you" })],
    },
  });
  played.keys("tab", "r").type("yes, do").keys("enter");
  assert.deepEqual(asked(played), [{ ask: "reply", id: "m2", from: "owl", body: "yes, do" }]);
  played.keys("k", "r").type("why").keys("enter");
  assert.deepEqual(asked(played), [{ ask: "send", to: "owl", body: "why" }]);
});

test("mail: write goes to who is selected, or to the name that is typed; without one nothing is sent", () => {
  assert.deepEqual(asked(open().keys("j", "w").type("hi there").keys("enter")), [
    { ask: "send", to: "fox", body: "hi there" },
  ]);
  assert.deepEqual(asked(open().keys("w").type("owl: hi").keys("enter")), [{ ask: "send", to: "owl", body: "hi" }]);
  const nobody = open().keys("w", "backspace").type("hello").keys("enter");
  assert.match(nobody.model.message?.text ?? "", /to whom\?/);
  assert.deepEqual(asked(open().keys("w", "enter")), []);
  const pasted = open()
    .keys("j", "w")
    .do({ type: "paste", text: `${"x".repeat(3_000)}\nsecond` })
    .keys("enter");
  assert.deepEqual(asked(pasted), [{ ask: "send", to: "fox", body: `${"x".repeat(3_000)} second` }]);
});

test("mail: acknowledges what waits for me, and says so of anything else", () => {
  const mine = mailEntry(7, { from: "owl", to: "you" });
  const played = open().do({
    type: "mail",
    news: { kind: "traffic", withName: null, hasOlder: false, entries: [mailEntry(6), mine] },
  });
  assert.deepEqual(asked(played.keys("tab", "a")), [{ ask: "acknowledge", from: "owl", seq: 7 }]);
  assert.match(played.keys("k", "a").model.message?.text ?? "", /nothing that you/);
  assert.deepEqual(asked(played.keys("A")), [{ ask: "acknowledge-all" }]);
});

test("mail: an open message scrolls, is broken anew at a resize, and is told how far it has come", () => {
  const entry = mailEntry(5, {
    body: Array.from({ length: 100 }, (_, at) => `row ${at} ${"x".repeat(60)}`).join("\n"),
  });
  const played = open()
    .keys("tab", "enter")
    .do({ type: "mail", news: { kind: "opened", entry } });
  const rows = played.model.mail.opened!.rows.length;
  played.keys("G");
  assert.equal(played.model.mail.opened!.top, rows - 33);
  played.do({ type: "resize", columns: 60, rows: 15 });
  assert.ok(played.model.mail.opened!.rows.length > rows);
  assert.ok(played.model.mail.opened!.rows.every((row) => row.length <= 34));
  const handled = { ...entry, receipts: entry.receipts.map((receipt) => ({ ...receipt, state: "handled" as const })) };
  played.do({ type: "mail", news: { kind: "traffic", withName: null, hasOlder: false, entries: [handled] } });
  assert.match(played.model.mail.opened!.rows.join(" "), /owl handled/);
});

test("mail: a click selects, the wheel moves; another leader is told of", () => {
  const played = open(1, 20).do({ type: "mouse", mouse: { kind: "press", x: 3, y: 2 } });
  assert.equal(played.model.mail.withName, "fox");
  played.traffic(1, 20, { withName: "fox" }).do({ type: "mouse", mouse: { kind: "wheel", x: 100, y: 3, lines: -3 } });
  assert.equal(selectedSeq(played), 17);
  played.do({ type: "mouse", mouse: { kind: "press", x: 100, y: 1 } });
  assert.deepEqual([played.model.mail.focus, selectedSeq(played)], ["traffic", 2]);
  played.do({ type: "mail", news: { kind: "led", pid: 12, epoch: 4 } });
  assert.match(played.model.message?.text ?? "", /process 12 leads the mailbox now, epoch 4/);
});
