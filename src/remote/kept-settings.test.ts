import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { homeStore } from "./home-store.ts";
import { KeptSettings } from "./kept-settings.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const clock = {
  wallMs: () => 10 * DAY_MS,
  monotonicMs: () => 0,
  timer: () => () => {},
};

function home() {
  const dir = mkdtempSync(join(tmpdir(), "warren-settings-"));
  const open = (): Promise<KeptSettings> =>
    KeptSettings.open({ store: homeStore(join(dir, "remote")), clock, log: silentLog });
  return {
    dir,
    path: join(dir, "remote", "settings.json"),
    open,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  };
}

test("settings of a machine: what two devices bring is merged, on disk, and its user's alone", async () => {
  using house = home();
  const keeper = await house.open();
  let told = 0;
  keeper.onChanged = () => told++;
  assert.deepEqual(await keeper.merge({}), {});
  assert.equal(readdirSync(house.dir).length, 0, "nothing was set, and nothing is written");
  const dark = { value: "dark", at_ms: 5, by: "phone" };
  const light = { value: "light", at_ms: 4, by: "desk" };
  const sounds = { value: true, at_ms: 4, by: "desk" };
  await Promise.all([keeper.merge({ appearance: dark }), keeper.merge({ appearance: light, sounds })]);
  await keeper.merge({ sounds });
  assert.equal(told, 2, "what is known tells nobody");
  assert.equal(statSync(house.path).mode & 0o777, 0o600);
  assert.deepEqual((await house.open()).now, { appearance: dark, sounds });
});

test("settings of a machine: a clock that is far ahead is cut, and a file that cannot be read begins anew", async () => {
  using house = home();
  const keeper = await house.open();
  const answered = await keeper.merge({ order: { value: "name", at_ms: 20 * DAY_MS, by: "phone" } });
  assert.equal(answered.order!.at_ms, 11 * DAY_MS);
  for (const odd of ["no JSON", '{"oldest_reader":2}', "null"]) {
    writeFileSync(house.path, odd, { mode: 0o600 });
    const next = await house.open();
    assert.deepEqual(next.now, {}, odd);
    assert.deepEqual(await next.merge(answered), answered);
  }
});
