import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutboxItem, OutboxState } from "../../client/remote/outbox-item.ts";
import { outboxGroups, withText } from "./outbox-lines.ts";
import { waitingCount } from "./waiting-count.ts";

const item = (id: string, state: OutboxState, more: Partial<OutboxItem> = {}): OutboxItem => ({
  id,
  machine: "aa",
  unit: "fox-id",
  type: "session.prompt",
  payload: { session: "fox-id", text: "make test" },
  createdMs: 1,
  deadlineMs: 9,
  state,
  ...more,
});
const names = {
  machineName: (machine: string) => ({ aa: "laptop", bb: "cloud" })[machine] ?? machine,
  unitName: (_: string, unit: string | undefined) => (unit === "fox-id" ? "fox" : (unit ?? "")),
};

test("outbox: for each machine a list in the order in which it goes, with what each item is and waits for", () => {
  const groups = outboxGroups(
    [
      item("1", { kind: "delivered" }),
      item("2", { kind: "queued" }),
      item("3", { kind: "queued" }, { machine: "bb", type: "stop", payload: { job_id: "web" }, unit: "web" }),
    ],
    names,
  );
  assert.deepEqual(
    groups.map(({ name, lines }) => [
      name,
      lines.map(({ what, state, isHere, field }) => [what, state.word, isHere, field]),
    ]),
    [
      ["cloud", [["stop web", "queued", true, undefined]]],
      [
        "laptop",
        [
          ["Say to fox", "at a hub", false, undefined],
          ["Say to fox", "queued", true, "text"],
        ],
      ],
    ],
  );
});

test("outbox: what is over says so in the machine's words, and can be put away once its record has gone", () => {
  const failed: OutboxState = {
    kind: "failed",
    error: { code: "FORBIDDEN", error: "This device may not type.", fix: "ask on laptop" },
  };
  const sealed = { hub: "h", bytes: new Uint8Array(), seq: 1, hash: "", isPut: false };
  const all = [
    item("1", failed),
    item("2", { kind: "expired" }, { sealed }),
    item("3", { kind: "done", result: {} }),
    item("4", { kind: "of a newer app" } as unknown as OutboxState),
  ];
  const lines = outboxGroups(all, names)[0]!.lines;
  assert.deepEqual(
    lines.map(({ state, detail, isOver, deadlineMs }) => [state.word, detail.split(" ")[0], isOver, deadlineMs]),
    [
      ["failed", "This", true, undefined],
      ["too late", "Its", false, undefined],
      ["done", "laptop", true, undefined],
      ["unknown", "A", false, 9],
    ],
  );
  assert.equal(lines[0]!.fix, "ask on laptop");
  assert.equal(waitingCount(all), 1);
});

test("outbox: what was written can be changed, and nothing else of what was asked", () => {
  assert.deepEqual(withText(item("1", { kind: "queued" }), "make all"), { session: "fox-id", text: "make all" });
  const stop = item("1", { kind: "queued" }, { payload: { job_id: "web" } });
  assert.deepEqual(withText(stop, "x"), { job_id: "web" });
});
