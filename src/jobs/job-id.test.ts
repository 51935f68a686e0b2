import assert from "node:assert/strict";
import { test } from "node:test";
import { JOB_ID_PATTERN, NAME_PATTERN } from "../protocol/names.ts";
import { newJobId } from "./job-id.ts";

const never = () => false;

test("newJobId: three characters, a digit first, never a name", () => {
  for (let i = 0; i < 1_000; i++) {
    const id = newJobId(never);
    assert.equal(id.length, 3);
    assert.match(id, JOB_ID_PATTERN);
    assert.doesNotMatch(id, NAME_PATTERN);
  }
});

test("newJobId: chance is asked for exactly the sizes of the alphabets", () => {
  const asked: number[] = [];
  const id = newJobId(never, (limit) => {
    asked.push(limit);
    return limit - 1;
  });
  assert.deepEqual(asked, [10, 62, 62]);
  assert.equal(id, "9zz");
});

test("newJobId: a taken id is not given again", () => {
  const given = new Set<string>();
  for (let i = 0; i < 5_000; i++) {
    const id = newJobId((candidate) => given.has(candidate));
    assert.ok(!given.has(id));
    given.add(id);
  }
});

test("newJobId: grows to four characters when the short ids are used up", () => {
  assert.match(
    newJobId((id) => id.length === 3),
    /^[0-9][0-9A-Za-z]{3}$/,
  );
});

test("newJobId: ends even when everything is taken", () => {
  let asked = 0;
  const always = () => {
    asked++;
    return true;
  };
  assert.throws(() => newJobId(always), /free job id/);
  assert.ok(asked < 1_000);
});
