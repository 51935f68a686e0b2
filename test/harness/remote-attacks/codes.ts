import assert from "node:assert/strict";
import { encodePairingCode, type PairingCode } from "../../../src/sealing/pairing-code.ts";
import type { Attack } from "./attack.ts";
import { changed, pairing, type Table } from "./table.ts";

const altered = (name: string, how: string, change: (table: Table) => Partial<PairingCode>, why: string): Attack =>
  pairing("altered code", name, how, async (table) => {
    table.isYes = true;
    assert.equal(await table.joins(table.owner, change(table)), why);
    assert.equal(table.checks.size, 0, "nobody is shown");
  });

const refusedText = (name: string, how: string, why: string, textOf: (table: Table) => string): Attack =>
  pairing("QR observer", name, how, async (table) => {
    table.isYes = true;
    assert.equal(await table.joins(table.owner, textOf(table)), why);
    assert.equal(table.world.hubs[0]!.hub!.facts().connections.guests, 0, "nothing was sent");
  });

/** Codes that are not what the machine has shown. */
export const CODE_ATTACKS: readonly Attack[] = [
  refusedText("a cut code", "Gives somebody half of a code.", "CODE_CUT", ({ code }) => code.slice(0, 100)),
  refusedText(
    "a later version",
    "Writes a version that does not exist, to get something weaker.",
    "CODE_VERSION",
    ({ code }) => code.replace(/\?../, "?AI"),
  ),
  refusedText("version 0", "Writes version 0, to get something weaker.", "CODE_VERSION", ({ code }) =>
    code.replace(/\?../, "?AA"),
  ),
  refusedText(
    "a code of the plan",
    "Shows a code that names a key and a server, and no hub's key.",
    "CODE_FOREIGN",
    () => "warren://pair?key=abc&server=https://evil.example",
  ),
  refusedText(
    "a code without a hub",
    "Shows a code without any hub.",
    "CODE_WITHOUT_HUB",
    () => "warren://pair?key=abc",
  ),
  refusedText(
    "a page in the place of a code",
    "Shows a link to a page of its own.",
    "CODE_FOREIGN",
    () => "https://evil.example/login",
  ),
  refusedText(
    "a code of a megabyte",
    "Shows a code that never ends.",
    "CODE_TOO_LONG",
    () => `warren://pair?${"A".repeat(2 ** 20)}`,
  ),
  refusedText(
    "this device itself",
    "Shows a code whose hub is the device's own loopback.",
    "CODE_LOOPBACK",
    ({ read }) => encodePairingCode({ ...read, address: "http://127.0.0.1:7117" }).warren,
  ),
  refusedText(
    "a code for ever",
    "Shows a code that lives a year.",
    "CODE_CLOCK_WRONG",
    ({ read }) => encodePairingCode({ ...read, expires: read.expires + 31_536_000 }).warren,
  ),
  altered(
    "more scopes",
    "Adds `admin` to what the code asks.",
    () => ({ scopes: ["view", "type", "approve", "admin"] }),
    "PAIRING_GONE",
  ),
  altered("fewer scopes", "Shows less than what the machine will give.", () => ({ scopes: ["view"] }), "PAIRING_GONE"),
  altered(
    "a longer life",
    "Adds a minute to the code's life.",
    ({ read }) => ({ expires: read.expires + 60 }),
    "PAIRING_GONE",
  ),
  altered(
    "another secret",
    "Guesses the secret of a rendezvous that it has seen at the hub.",
    ({ read }) => ({ secret: changed(read.secret) }),
    "PAIRING_GONE",
  ),
  altered(
    "another pairing key",
    "Puts its own key into the code.",
    ({ read }) => ({ pairingKey: changed(read.pairingKey) }),
    "PAIRING_GONE",
  ),
  altered(
    "another hub's key",
    "Puts another fingerprint into the code.",
    ({ read }) => ({ hub: changed(read.hub) }),
    "HUB_KEY_OTHER",
  ),
  altered(
    "another address",
    "Leads the code to a hub of its own.",
    ({ world }) => ({ address: world.hubs[1]!.address }),
    "HUB_KEY_OTHER",
  ),
];
