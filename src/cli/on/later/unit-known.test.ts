import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError } from "../../../protocol/errors.ts";
import { unitKnown } from "./unit-known.ts";

/** Why nothing is known of it. */
function whyNot(isBehind: boolean): string {
  try {
    unitKnown({ machine: "laptop", units: [], isBehind }, "web", "stop");
  } catch (error) {
    if (isWarrenError(error, "UNIT_NOT_KNOWN")) return error.message;
    throw error;
  }
  return "known";
}

test("a unit that a machine has not told of: it is said when not all has come that the machine has told", () => {
  assert.equal(whyNot(false), "laptop has told this device of no unit called web.");
  assert.match(whyNot(true), /no unit called web\. Not all that it has left for this device has come/);
});

test("a name that is no word for a shell is quoted in what is proposed to be typed", () => {
  assert.throws(() => unitKnown({ machine: "laptop", units: [], isBehind: false }, "my web", "stop"), {
    fix: "warren stop --later 'job:my web'      # or 'session:my web', where you are sure",
  });
});
