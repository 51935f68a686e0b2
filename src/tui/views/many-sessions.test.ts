import assert from "node:assert/strict";
import { test } from "node:test";
import { job, Played, server, session } from "../../../test/tui/played.ts";
import type { Session } from "../../protocol/units.ts";
import { screenOf } from "./screen.ts";
import { themeOf } from "./theme.ts";

/** What thousands of sessions cost, counted and not timed: reads of a session's state, which every row and every comparison begins with. */

const COUNT = 5_000;
const ROWS = 36;
const THEME = themeOf({ TERM: "xterm-256color" });

class Counted {
  reads = 0;

  session(id: string): Session {
    const one = session(id);
    const { state } = one;
    return Object.defineProperty(one, "state", {
      get: () => {
        this.reads += 1;
        return state;
      },
      enumerable: true,
    });
  }

  /** Reads during `work`. */
  during(work: () => void): number {
    const before = this.reads;
    work();
    return this.reads - before;
  }
}

function withMany(): { counted: Counted; played: Played } {
  const counted = new Counted();
  const sessions = Array.from({ length: COUNT }, (_, index) => counted.session(`s${index}`));
  const played = new Played(120, ROWS, { isPicker: true }).show(job("1aa"));
  const view = server("blazing", []);
  return { counted, played: played.servers({ ...view, sessions }) };
}

test("5,000 sessions: a frame reads no more sessions than the screen has rows", () => {
  const { counted, played } = withMany();
  for (const keys of [["g"], ["j"], ["G"], ["k"], ["pgup"]]) {
    played.keys(...keys);
    const reads = counted.during(() => screenOf(THEME, played.model));
    // The one that is selected is shown at the right too.
    assert.ok(reads > 0 && reads <= 4 * ROWS, `${keys}: ${reads}`);
  }
});

test("5,000 sessions: a key makes no row again and looks at few sessions", () => {
  const { counted, played } = withMany();
  const { rows, places } = played.model.sessions;
  for (const key of ["j", "j", "k", "pgdn", "G", "g", "j", "s", "l", "h"]) {
    const reads = counted.during(() => played.keys(key));
    assert.ok(reads <= ROWS, `${key}: ${reads}`);
    assert.equal(played.model.sessions.rows, rows, key);
    assert.equal(played.model.sessions.places, places, key);
  }
  const reads = counted.during(() => played.do({ type: "tick", nowMs: played.model.nowMs + 1 }));
  assert.ok(reads <= ROWS, `tick: ${reads}`);
});

test("5,000 sessions: a search looks at each once a key", () => {
  const { counted, played } = withMany();
  played.keys("/");
  const reads = counted.during(() => played.keys("4"));
  assert.ok(reads <= COUNT + ROWS, String(reads));
  assert.equal(played.model.selectedId, "s4");
});
