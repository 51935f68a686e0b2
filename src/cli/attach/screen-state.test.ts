import assert from "node:assert/strict";
import { test } from "node:test";
import { ScreenState } from "./screen-state.ts";

function after(text: string | Buffer, pieceBytes: number): ScreenState {
  const state = new ScreenState();
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += pieceBytes) state.follow(bytes.subarray(at, at + pieceBytes));
  return state;
}

for (const pieceBytes of [1, 2, 1000])
  test(`screen state, ${pieceBytes} bytes at a time`, () => {
    const mode = (text: string): string | undefined => after(text, pieceBytes).alternateMode;
    assert.equal(mode("a\x1b[?1049hb"), "1049");
    assert.equal(mode("\x1b[?1;47hb"), "47");
    assert.equal(mode("\x1b[?1049h\x1b[?1049l"), undefined);
    assert.equal(mode("\x1b[?1049h\x1bc"), undefined);
    assert.equal(mode("\x1b]0;\x1b[?1049h"), "1049", "an escape ends a string that is cut off");
    assert.equal(mode("\x1b]0;[?1049h\x07"), undefined, "text in a title");
    assert.equal(mode("\x1b[1049h"), undefined);

    const between = (text: string | Buffer): boolean => after(text, pieceBytes).isBetween;
    for (const text of [
      "",
      "abc",
      "é🦊",
      "\x1b[1m",
      "\x1b]0;title\x07",
      "\x1bP1$r\x1b\\",
      "\x1b(B",
      "\x1b[1\x18",
      "\x9b",
    ])
      assert.equal(between(text), true, JSON.stringify(text));
    for (const text of ["\x1b", "a\x1b[", "\x1b[12", "\x1b]0;tit", "\x1bP1\x1b", "\x1b("])
      assert.equal(between(text), false, JSON.stringify(text));
    for (const bytes of [1, 2, 3]) assert.equal(between(Buffer.from("a🦊").subarray(0, 1 + bytes)), false);

    assert.equal(after("", pieceBytes).isAtLineStart, true);
    assert.equal(after("a\r\n", pieceBytes).isAtLineStart, true);
    assert.equal(after("$ ", pieceBytes).isAtLineStart, false);
  });
