import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordsSite, settled } from "./records/testing/records-site.ts";

test("hub: one whose removal could not be written down is a hub as before, and goes when it can be", async () => {
  await using site = await RecordsSite.make();
  const { label } = site.remote!.hubs()[0]!;
  site.unwritable = "roster";
  await assert.rejects(site.remote!.removeHub(label), /ENOSPC/);
  await site.isReady();
  site.unwritable = undefined;
  await site.remote!.removeHub(label);
  assert.deepEqual([site.remote!.hubs(), site.roster.hubs], [[], []]);
});

test("hub: one whose records could not be taken off the disk is gone all the same, and added again it is another space", async () => {
  await using site = await RecordsSite.make();
  await site.device("phone"); // so that there are records
  const [hub] = site.remote!.hubs();
  const { login_secret, fingerprint } = site.roster.hubs[0]!;
  const spaceOf = (): string => JSON.parse(site.files.get(`space-${fingerprint}.json`)!).space;
  const before = spaceOf();
  site.unwritable = "space-";
  await site.remote!.removeHub(hub!.label);
  assert.deepEqual([site.remote!.hubs(), spaceOf()], [[], before]);
  site.unwritable = undefined;
  await site.remote!.addHub({ address: hub!.addresses[0]!, fingerprint: hub!.fingerprint });
  await site.isReady();
  assert.notEqual(site.roster.hubs[0]!.login_secret, login_secret);
});

test("hub: nothing of its records is on disk once it is removed, also what was being written down", async () => {
  await using site = await RecordsSite.make();
  await site.device("phone");
  const { fingerprint } = site.roster.hubs[0]!;
  let heldCount = 0;
  site.writing = async (name, text) => {
    if (!name.startsWith("space-") || text === "") return;
    heldCount += 1;
    await settled();
  };
  await site.remote!.removeHub(site.remote!.hubs()[0]!.label);
  await settled();
  await settled();
  assert.deepEqual([heldCount, site.files.get(`space-${fingerprint}.json`)], [1, ""]);
});

test("hub: of two removals at once, and an adding behind them, each finds what the one before has left", async () => {
  await using site = await RecordsSite.make();
  const [hub] = site.remote!.hubs();
  const { label, fingerprint, addresses } = hub!;
  const all = await Promise.allSettled([
    site.remote!.removeHub(label),
    site.remote!.removeHub(label),
    site.remote!.addHub({ address: addresses[0]!, fingerprint }),
  ]);
  assert.deepEqual(
    all.map((one) => (one.status === "fulfilled" ? one.value.label : one.reason.code)),
    [label, "HUB_NOT_FOUND", label],
  );
  assert.deepEqual(
    site.remote!.hubs().map(({ state }) => state),
    ["ready"],
  );
});

test("hub: one that is renamed while it is removed is gone, and leaves nothing on the list", async () => {
  await using site = await RecordsSite.make();
  const { label } = site.remote!.hubs()[0]!;
  let renamed: Promise<unknown> | undefined;
  site.writing = async (name) => {
    if (name === "roster.json")
      renamed ??= assert.rejects(site.remote!.renameHub(label, "cloud"), { code: "HUB_NOT_FOUND" });
  };
  await site.remote!.removeHub(label);
  await renamed;
  assert.deepEqual([site.remote!.hubs(), site.roster.hubs], [[], []]);
});

test("hub: why one was not added is said, also where that it is none could not be written down: then it is one", async () => {
  await using site = await RecordsSite.make();
  const { label, fingerprint, addresses } = site.remote!.hubs()[0]!;
  await site.remote!.removeHub(label);
  site.isMute = true;
  let writeCount = 0;
  site.writing = async (name) => {
    if (name === "roster.json" && ++writeCount > 1) throw new Error("ENOSPC");
  };
  const added = site.remote!.addHub({ address: addresses[0]!, fingerprint });
  const refused = assert.rejects(added, { code: "HUB_LOST" });
  await site.pass(30_000);
  await refused;
  site.writing = undefined;
  site.isMute = false;
  await site.isReady();
  await site.remote!.removeHub(label);
  assert.deepEqual([site.remote!.hubs(), site.roster.hubs], [[], []]);
});
