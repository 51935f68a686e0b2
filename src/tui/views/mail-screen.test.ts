import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mailEntry, NOW_MS, neverThere, Played, participant } from "../../../test/tui/played.ts";
import type { MailLeader } from "../../protocol/mail-units.ts";
import { ansiWidth, withoutSgr } from "../text/ansi.ts";
import { screenOf } from "./screen.ts";
import { themeOf } from "./theme.ts";

const COLOR = themeOf({ TERM: "xterm-256color" });
const ASCII = themeOf({ WARREN_NO_EMOJI: "1", NO_COLOR: "1" });
const raw = (played: Played, theme = COLOR): string[] =>
  screenOf(theme, played.model).lines.map((line) => line.map(({ text }) => text).join(""));
const shown = (played: Played, theme = COLOR): string => raw(played, theme).map(withoutSgr).join("\n");

const LEADER: MailLeader = {
  pid: 4711,
  epoch: 3,
  since: new Date(NOW_MS - 120_000).toISOString(),
  git_hash: "abc1234",
  version: "0.1.0",
  socket: "/run/mail.sock",
  port: 9876,
  is_dedicated: false,
};
const STANDBY = { kind: "standby", pid: 4712, since: LEADER.since, may_lead: true };
const HOSTILE = "\x1b[2J\x1b]0;title\x07日本語 🦊 \u202egnorw\r\nsecond";

const live = (columns: number, rows: number): Played =>
  new Played(columns, rows)
    .keys("6")
    .do({ type: "mail", news: { kind: "state", state: "live" } })
    .do({ type: "mail", news: { kind: "status", status: { leader: LEADER, members: [STANDBY] } } })
    .participants(
      participant("fox", "busy", 2),
      participant("owl", "idle"),
      participant("bear", "gone", 10_000),
      neverThere("zed"),
      participant("you"),
    )
    .do({
      type: "mail",
      news: {
        kind: "traffic",
        withName: null,
        hasOlder: true,
        entries: [
          mailEntry(1),
          mailEntry(2, { body: HOSTILE, subject: HOSTILE, kind: "ask", to: "fox,owl" }),
          mailEntry(3, { from: "x".repeat(32), to: "y".repeat(32), body: "z".repeat(5_000) }),
          mailEntry(123_456, { from: "owl", to: "you", body: HOSTILE }),
        ],
      },
    });

test("mail: every row is exactly as wide as the terminal, and holds no control but colours, at every size and in every state", () => {
  const keys = ["j", "k", "tab", "g", "G", "enter", "esc", "6", "r", "w", "x", "a", "A", "J", "K", "?", ":", "pgdn"];
  const states = ["connecting", "live", "lost", "nobody", "never"] as const;
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 200 }),
      fc.integer({ min: 15, max: 60 }),
      fc.array(fc.constantFrom(...keys), { maxLength: 12 }),
      fc.constantFrom(...states),
      fc.boolean(),
      fc.constantFrom(COLOR, ASCII),
      (columns, rows, pressed, state, isOpened, theme) => {
        const played = live(columns, rows).keys(...pressed);
        played.do({ type: "mail", news: { kind: "state", state } });
        if (isOpened)
          played.do({
            type: "mail",
            news: { kind: "opened", entry: mailEntry(2, { body: HOSTILE.repeat(50), data: { a: HOSTILE } }) },
          });
        const lines = raw(played, theme);
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.equal(ansiWidth(line), columns, JSON.stringify(line));
          assert.doesNotMatch(withoutSgr(line), /[\x00-\x1f\x7f-\x9f\u202e]/);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("mail: participants with presence and unread, what passes, who leads and who would next", () => {
  const text = shown(live(120, 36));
  for (const piece of [
    "◉ fox",
    "2 unread  busy",
    "○ owl",
    "10000 unread  gone",
    "1 unread  unknown",
    "1 fox → owl  text 1",
    "asks: ",
    "◉ 4711 leads, epoch 3",
    "◌ 4712 stands by",
    "since 2m, v0.1.0",
    "0 members, port 9876",
  ])
    assert.ok(text.includes(piece), `${piece}\n${text}`);
  assert.match(text, /fox queued, owl queued|owl → you/);
  assert.match(text, /\\x1b\[2J/);
});

test("mail: at 60×15, and without glyphs and colours nothing but ASCII of our own", () => {
  const text = shown(live(60, 15));
  for (const piece of ["fox", "2│", "4711 leads, epoch 3", "4712 stands by", "all messages"])
    assert.ok(text.includes(piece), `${piece}\n${text}`);
  const plain = new Played(60, 15)
    .keys("6")
    .do({ type: "mail", news: { kind: "state", state: "live" } })
    .participants(participant("fox"))
    .traffic(1, 3);
  for (const played of [plain, plain.keys("tab"), plain.keys("?")]) {
    const lines = raw(played, ASCII).join("");
    assert.match(lines.replace(/\x1b\[[017]?m/g, ""), /^[\x20-\x7e…·↓↑←→]*$/);
    assert.doesNotMatch(lines, /\x1b\[[39]/);
  }
});

test("mail: says when nobody leads, and when no mail was ever sent", () => {
  const at = (state: "never" | "nobody" | "lost") =>
    shown(new Played().keys("6").do({ type: "mail", news: { kind: "state", state } }));
  assert.match(at("never"), /Nobody has sent mail here yet\.[\s\S]*warren mail send fox 'hello'[\s\S]*or press w/);
  assert.match(at("nobody"), /Nobody leads the mailbox now\. What was sent is kept;/);
  assert.match(at("lost"), /does not answer/);
  const kept = shown(live(120, 36).do({ type: "mail", news: { kind: "state", state: "nobody" } }));
  assert.match(kept, /nobody leads/);
  assert.match(kept, /1 fox → owl/, "what was shown stays");
});
