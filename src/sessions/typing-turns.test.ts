import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../platform/clock.ts";
import { TypingTurns } from "./typing-turns.ts";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

/** Two and more clients; what they type is written down as `client:text`. */
function typists() {
  const written: { client: string; text: string }[] = [];
  const timers: (() => void)[] = [];
  const timer = (_: number, task: () => void) => {
    timers.push(task);
    return () => {};
  };
  const clock = { ...systemClock, timer };
  const seqs = new Map<string, number>();
  const turns = new TypingTurns(clock, ({ client, bytes }) => written.push({ client, text: bytes.toString() }));
  const type = (client: string, text: string): void => {
    const seq = seqs.get(client) ?? 0;
    seqs.set(client, seq + text.length);
    turns.push({ client, seq, bytes: Buffer.from(text) });
  };
  return { turns, type, timers, written, text: () => written.map(({ text }) => text).join("") };
}

test("typing: keys of several clients go on in the order in which they come", () => {
  const { type, text } = typists();
  type("a", "ls");
  type("b", "x");
  type("a", "\r");
  assert.equal(text(), "lsx\r");
});

test("typing: from the start of a paste to its end everybody else waits, then goes on", () => {
  const { turns, type, text } = typists();
  type("a", `${BEGIN}one `);
  type("b", "B");
  type("a", "two");
  assert.equal(turns.waitingBytes("b"), 1);
  type("a", `${END}after`);
  assert.equal(text(), `${BEGIN}one two${END}afterB`);
  assert.equal(turns.waitingBytes("b"), 0);
});

test("typing: marks that are cut in two, and two pastes that begin at once", () => {
  const { type, text } = typists();
  type("a", `${BEGIN}first\x1b[20`);
  type("b", `${BEGIN}second`);
  type("b", `${END}!`);
  type("a", "1~");
  assert.equal(text(), `${BEGIN}first${END}${BEGIN}second${END}!`);
});

test("typing: a client that goes, or falls silent, in the middle of its paste holds up nobody", () => {
  const gone = typists();
  gone.type("a", `${BEGIN}half`);
  gone.type("b", "B");
  gone.turns.leave("a");
  assert.equal(gone.text(), `${BEGIN}halfB`);
  const silent = typists();
  silent.type("a", `${BEGIN}half`);
  silent.type("b", "B");
  silent.timers.at(-1)!();
  assert.equal(silent.text(), `${BEGIN}halfB`);
});

test("typing: whatever is typed and however it is cut, nothing is lost and no paste has another's bytes in it", () => {
  const words = fc.array(fc.oneof(fc.constant("k"), fc.constant(`${BEGIN}p${END}`), fc.constant("\x1b[A")), {
    maxLength: 6,
  });
  const clients = fc.array(words, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(clients, fc.array(fc.nat(), { maxLength: 60 }), (typed, order) => {
      const { type, written } = typists();
      const left = typed.map((parts, at) => ({ client: String.fromCharCode(97 + at), text: parts.join("") }));
      const all = left.map(({ client, text }) => ({ client, text }));
      for (const turn of [...order, ...Array.from({ length: 200 }, (_, at) => at)]) {
        const one = left[turn % left.length]!;
        const piece = one.text.slice(0, 1 + (turn % 5));
        one.text = one.text.slice(piece.length);
        if (piece !== "") type(one.client, piece);
      }
      for (const { client, text } of all)
        assert.equal(written.flatMap((one) => (one.client === client ? [one.text] : [])).join(""), text);
      const bytes = written.flatMap(({ client, text }) => [...text].map((character) => ({ client, character })));
      const whole = bytes.map(({ character }) => character).join("");
      for (let at = whole.indexOf(BEGIN); at !== -1; at = whole.indexOf(BEGIN, at + 1)) {
        // Once the mark is whole, up to the end mark all are of one client.
        const end = whole.indexOf(END, at) + END.length;
        const inside = bytes.slice(at + BEGIN.length, end);
        assert.equal(new Set(inside.map(({ client }) => client)).size, 1, whole);
      }
    }),
  );
});
