import assert from "node:assert/strict";
import { test } from "node:test";
import { Pairing, readCard } from "../client/remote/pairing.ts";
import { TestSite } from "../client/remote/testing/site.ts";
import { isWarrenError } from "../protocol/errors.ts";

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A device that is on the list is being let in once more; it is revoked so many turns after the yes. Answers what both ends hear. */
async function revokedDuringPairing(turnCount: number, isConfirmed: boolean): Promise<string[]> {
  await using site = new TestSite();
  const home = await site.hub("home");
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  await site.pair(laptop, home, store);
  const { pairing, code } = await laptop.pair(home.address, ["view", "admin"], new AbortController().signal);
  const shown = Promise.withResolvers<void>();
  const again = new Pairing(await readCard(code, store, { nowSeconds: site.clock.wallMs() / 1_000 }), {
    name: "Pixel 9",
    platform: "test",
    store,
    network: site.deviceNetwork,
    crypto: site.crypto,
    clock: site.clock,
    limits: site.limits,
    onState: ({ kind }) => kind === "shown" && shown.resolve(),
  });
  const joining = again.connect().then(
    () => "joined",
    (error) => (isWarrenError(error) ? error.code : String(error)),
  );
  await shown.promise;
  while (laptop.snapshot().snapshot.pairings[0]?.state !== "shown") await turns(1);
  const confirmed = isConfirmed
    ? laptop.confirm(pairing.pairing).then(
        () => "joined",
        (error) => error.code as string,
      )
    : Promise.resolve("never");
  await turns(turnCount);
  await laptop.revoke("Pixel 9");
  const heard = [await confirmed, await joining];
  await turns(50);
  assert.deepEqual(laptop.devices(), [], `revoked after ${turnCount} turns`);
  assert.deepEqual(laptop.snapshot().snapshot.pairings, []);
  return heard;
}

test("revoke: a pairing of the same device that waits for a yes is over, and a yes comes too late", async () => {
  const [, device] = await revokedDuringPairing(0, false);
  assert.notEqual(device, "joined");
});

test("revoke: at any moment of a pairing that was said yes to, the device is not on the list afterwards", async () => {
  const all = new Set<string>();
  for (let turnCount = 0; turnCount <= 12; turnCount++)
    all.add((await revokedDuringPairing(turnCount, true)).join(" "));
  assert.ok(
    [...all].some((heard) => heard.startsWith("PAIRING_")),
    "some came before it had joined",
  );
  assert.ok(
    [...all].some((heard) => heard.startsWith("joined")),
    "and some after",
  );
});
