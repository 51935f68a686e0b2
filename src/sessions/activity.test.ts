import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { Activity, type ActivityState, isShell } from "./activity.ts";

function watched({ shell }: { shell: boolean }) {
  const clock = new HandClock();
  const states: ActivityState[] = [];
  const facts = { isForeground: true as boolean | undefined };
  const activity = new Activity({
    clock,
    isShell: shell,
    isForeground: () => facts.isForeground,
    onChange: (state) => states.push(state),
  });
  return { clock, states, facts, activity };
}

test("activity: a shell that is silent at its prompt is idle; with something in the foreground it works, however silent", () => {
  const { clock, activity, facts } = watched({ shell: true });
  assert.equal(activity.state, "working");
  clock.leap(300);
  assert.equal(activity.state, "idle");
  facts.isForeground = false;
  activity.output();
  assert.equal(activity.state, "working");
  for (let count = 0; count < 100; count++) clock.leap(1_000);
  assert.equal(activity.state, "working");
  facts.isForeground = true;
  activity.output(); // the prompt
  clock.leap(300);
  assert.equal(activity.state, "idle");
});

test("activity: another program is idle after it was silent for a while; one timer serves any amount of output", () => {
  const { clock, activity } = watched({ shell: false });
  for (let count = 0; count < 50; count++) {
    clock.leap(100);
    activity.output();
    assert.ok(clock.delays.length <= 1);
  }
  clock.leap(1_999);
  assert.equal(activity.state, "working");
  clock.leap(1);
  clock.leap(2_000);
  assert.equal(activity.state, "idle");
});

test("activity: a bell needs somebody until they type, unless it answers a key", () => {
  const { clock, activity } = watched({ shell: true });
  clock.leap(300);
  activity.input();
  activity.bell();
  assert.equal(activity.state, "idle");
  clock.leap(2_000);
  activity.bell();
  assert.deepEqual([activity.state, activity.attention], ["needs_you", "bell"]);
  activity.output();
  assert.equal(activity.state, "needs_you");
  activity.input();
  assert.equal(activity.attention, undefined);
  activity.notification("tests have failed");
  assert.deepEqual([activity.state, activity.attention], ["needs_you", "tests have failed"]);
});

test("activity: a shell that marks its prompt is believed", () => {
  const { clock, activity, facts } = watched({ shell: true });
  activity.mark("A");
  assert.equal(activity.state, "idle");
  activity.output(); // what is typed is echoed
  assert.equal(activity.state, "idle");
  activity.mark("C");
  facts.isForeground = true;
  clock.leap(10_000);
  assert.equal(activity.state, "working");
  activity.mark("D");
  assert.equal(activity.state, "idle");
});

test("activity: shells that somebody types into", () => {
  const lines = [
    "/bin/bash",
    "-zsh",
    "fish -i",
    "bash --norc",
    "/usr/bin/vim",
    "bashful",
    "sh -c make",
    "bash -lc make",
    "sh script",
  ];
  const shells = lines.filter((line) => isShell(line.split(" ")));
  assert.deepEqual(shells, ["/bin/bash", "-zsh", "fish -i", "bash --norc"]);
});
