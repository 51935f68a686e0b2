import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS } from "./harness/remote-attacks/all.ts";
import { PLAN_ATTACKS } from "./harness/remote-attacks/plan.ts";

/** The attacks of remote-attacks.test.ts on a model of the obvious plan: that most get through shows that they bite. */
const THROUGH_MIN = 15;

test("plan: with one secret for all, a challenge of the client's and ids without a hub, most attacks get through", async (context) => {
  const through: string[] = [];
  for (const { name, run } of PLAN_ATTACKS)
    await run().catch((error) => {
      if (!(error instanceof assert.AssertionError)) throw error;
      through.push(name);
    });
  context.diagnostic(`${through.length} of ${PLAN_ATTACKS.length} get through`);
  assert.ok(through.length >= THROUGH_MIN, `${through.length}: ${through.join("; ")}`);
  assert.ok(through.length < PLAN_ATTACKS.length, "the model is not a door without a wall");
});

test("plan: each is an attack of the same name on what was built", () => {
  const names = new Set(ATTACKS.map(({ name }) => name));
  for (const { name } of PLAN_ATTACKS) assert.ok(names.has(name), name);
});
