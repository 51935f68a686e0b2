import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubNetwork } from "../../contact/network.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { fromBase32, toBase32 } from "../../sealing/base32.ts";
import { toHex } from "../../sealing/bytes.ts";
import { encodePairingCode } from "../../sealing/pairing-code.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { pageClock } from "../link/page-clock.ts";
import { DeviceShelf } from "./device/device-shelf.ts";
import { MemoryShelf, TABLES } from "./device/shelf.ts";
import { browserName, PairFlow, pairLinkIn } from "./pair-flow.ts";

const crypto = webCrypto();
const HUB = new Uint8Array(16).fill(7);
const ADDRESS = "https://home.example";

const codeFor = (address: string) =>
  encodePairingCode({
    hub: HUB,
    pairingKey: new Uint8Array(32).fill(1),
    secret: new Uint8Array(16).fill(2),
    expires: Math.floor(Date.now() / 1_000) + 100,
    scopes: ["view", "type"],
    address,
  });

/** Such as somebody else's program may make: without the address. */
function withoutAddress(): string {
  const bytes = fromBase32(codeFor(ADDRESS).warren.split("?")[1]!)!;
  const head = bytes.slice(0, bytes.length - ADDRESS.length);
  head[head.length - 1] = 0; // its length
  return `warren://pair?${toBase32(head)}`;
}

async function setUp({ knows = 0, fingerprint = HUB }: { knows?: number; fingerprint?: Uint8Array } = {}) {
  const shelf = new MemoryShelf();
  const device = new DeviceShelf(shelf, crypto);
  const asked: string[] = [];
  for (let at = 0; at < knows; at++)
    await device.putHub({
      fingerprint: at === 0 ? toHex(fingerprint) : "ff".repeat(16),
      key: new Uint8Array(32),
      addresses: [ADDRESS],
      label: "home",
      login: await device.newLoginKey(String(at)),
      addedMs: at,
    });
  const network: HubNetwork = {
    dial: () => Promise.reject(new WarrenError("HUB_UNREACHABLE", "Nobody.")),
    claim: (address) => {
      asked.push(address);
      return Promise.reject(new WarrenError("HUB_UNREACHABLE", "Nobody is there."));
    },
  };
  const remote = { device, joined: async () => {} };
  const flow = new PairFlow({ remote, network, crypto, clock: pageClock, isLocal: false, platform: "test" });
  const countKept = async (): Promise<number> =>
    (await Promise.all(TABLES.map((table) => shelf.all(table)))).flat().length;
  return { flow, asked, countKept };
}

test("pair flow: a code is shown, and nothing is asked and nothing kept before the person agrees", async () => {
  const { flow, asked, countKept } = await setUp();
  await flow.read(codeFor(ADDRESS).link);
  const view = flow.get();
  assert.ok(view.kind === "card");
  assert.deepEqual(
    [view.card.hub, view.card.knownAs, view.card.code.scopes],
    [toHex(HUB), undefined, ["view", "type"]],
  );
  assert.deepEqual([asked, await countKept()], [[], 0]);
  flow.cancel();
  assert.equal(flow.get().kind, "idle");
  await flow.connect("late");
  assert.deepEqual([asked, await countKept()], [[], 0], "what was given up is not begun");
});

test("pair flow: a hub that does not answer is said, and leaves no trace", async () => {
  const { flow, asked, countKept } = await setUp();
  await flow.read(codeFor(ADDRESS).qr);
  await flow.connect("phone");
  const view = flow.get();
  assert.ok(view.kind === "refused");
  assert.deepEqual([view.error.code, asked, await countKept()], ["HUB_UNREACHABLE", [ADDRESS], 0]);
});

test("pair flow: a code without a hub is refused; with one known hub that one is offered, and not taken by itself", async () => {
  const none = await setUp();
  await none.flow.read("warren://pair?key=MFRGGZDF");
  const refused = none.flow.get();
  assert.ok(refused.kind === "refused");
  assert.deepEqual([refused.error.code, refused.through], ["CODE_WITHOUT_HUB", undefined]);

  const one = await setUp({ knows: 1 });
  await one.flow.read("warren://pair?key=MFRGGZDF");
  const offered = one.flow.get();
  assert.ok(offered.kind === "refused");
  assert.deepEqual([offered.through?.label, offered.through?.isItsCode], ["home", false]);

  await one.flow.read(withoutAddress());
  const itsCode = one.flow.get();
  assert.ok(itsCode.kind === "refused");
  assert.equal(itsCode.through?.isItsCode, true);
  await one.flow.readThrough(toHex(HUB));
  const card = one.flow.get();
  assert.ok(card.kind === "card");
  assert.deepEqual([card.card.code.address, card.card.knownAs, one.asked], [ADDRESS, "home", []]);

  const other = await setUp({ knows: 1, fingerprint: new Uint8Array(16).fill(9) });
  await other.flow.read(withoutAddress());
  const foreign = other.flow.get();
  assert.ok(foreign.kind === "refused");
  assert.equal(foreign.through?.isItsCode, false, "it is another hub's");

  const two = await setUp({ knows: 2 });
  await two.flow.read(withoutAddress());
  const many = two.flow.get();
  assert.ok(many.kind === "refused");
  assert.equal(many.through, undefined);
});

test("pair flow: a link is known by its fragment, and a browser by what it says of itself", () => {
  const href = "https://home.example/#p=ABC";
  assert.equal(pairLinkIn({ href, hash: "#p=ABC" }), href);
  assert.equal(pairLinkIn({ href, hash: "#/pair" }), undefined);
  const pixel = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36";
  assert.deepEqual(browserName(pixel), { name: "Chrome on Android", platform: "android" });
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605 Version/20 Mobile Safari/604";
  assert.deepEqual(browserName(iphone), { name: "Safari on iOS", platform: "ios" });
  assert.deepEqual(browserName("curl"), { name: "Browser", platform: "web" });
});
