import assert from "node:assert/strict";
import { test } from "node:test";
import { Access } from "./access.ts";

test("access: a token gives a pass once; a newer token takes the place of one that was not used", () => {
  const access = new Access();
  const first = access.newToken();
  const second = access.newToken();
  assert.equal(access.exchange(first), undefined);
  const pass = access.exchange(second);
  assert.ok(pass && access.isPass(pass));
  assert.equal(access.exchange(second), undefined, "once");
  for (const other of ["", second, pass.slice(1), `${pass}x`]) assert.ok(!access.isPass(other));
  assert.notEqual(access.exchange(access.newToken()), pass);
});

test("access: passes are bounded; the first one goes", () => {
  const access = new Access();
  const passes = Array.from({ length: 65 }, () => access.exchange(access.newToken())!);
  assert.deepEqual(
    [access.isPass(passes[0]!), access.isPass(passes[1]!), access.isPass(passes[64]!)],
    [false, true, true],
  );
});
