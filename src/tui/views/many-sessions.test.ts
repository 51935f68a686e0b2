import assert from "node:assert/strict";
import { test } from "node:test";
import { job, Played, server, session } from "../../../test/tui/played.ts";
import type { Session } from "../../protocol/units.ts";
import { screenOf } from "./screen.ts";
import { themeOf } from "./theme.ts";

/** What thousands of sessions cost, counted and not timed: which of them are looked at, and how often their names are read. */

const COUNT = 5_000;
const ROWS = 36;
const THEME = themeOf({ TERM: "xterm-256color" });

class Counted {
  readonly #seen = new Set<string>();
  #nameReads = 0;

  session(id: string): Session {
    const { state, name, active_at, ...rest } = session(id);
    const seen = this.#seen;
    const readName = (): void => {
      this.#nameReads += 1;
    };
    return {
      ...rest,
      get state() {
        seen.add(id);
        return state;
      },
      get active_at() {
        seen.add(id);
        return active_at;
      },
      get name() {
        seen.add(id);
        readName();
        return name;
      },
    };
  }

  /** How many sessions `work` looks at, and how often it reads a name. */
  during(work: () => void): { seen: number; nameReads: number } {
    this.#seen.clear();
    this.#nameReads = 0;
    work();
    return { seen: this.#seen.size, nameReads: this.#nameReads };
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
    const { seen } = counted.during(() => screenOf(THEME, played.model));
    assert.ok(seen > 0 && seen <= ROWS, `${keys}: ${seen}`);
  }
});

test("5,000 sessions: a key makes no row again and looks at few sessions", () => {
  const { counted, played } = withMany();
  const { rows, places } = played.model.sessions;
  for (const key of ["j", "j", "k", "pgdn", "G", "g", "j", "s", "l", "h"]) {
    const { seen } = counted.during(() => played.keys(key));
    assert.ok(seen <= ROWS, `${key}: ${seen}`);
    assert.equal(played.model.sessions.rows, rows, key);
    assert.equal(played.model.sessions.places, places, key);
  }
  const { seen } = counted.during(() => played.do({ type: "tick", nowMs: played.model.nowMs + 1 }));
  assert.ok(seen <= ROWS, `tick: ${seen}`);
});

test("5,000 sessions: a search looks at each once a key", () => {
  const { counted, played } = withMany();
  played.keys("/");
  const { nameReads } = counted.during(() => played.keys("4"));
  assert.ok(nameReads <= COUNT, String(nameReads));
  assert.equal(played.model.selectedId, "s4");
});
