import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { resolvePlaces } from "../platform/paths.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { keyOf, namesOf, removeKey, renameKey } from "./mail-keys.ts";

function temporaryPlaces() {
  const home = mkdtempSync(join(tmpdir(), "warren-keys-"));
  return {
    places: resolvePlaces({ WARREN_HOME: home }),
    home,
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

test("the same name in the same project has the same key; in another project another", async () => {
  using made = temporaryPlaces();
  const first = await keyOf(made.places, "/p", "fox");
  assert.equal(first.isNew, true);
  assert.ok(first.key.length >= 40);
  assert.deepEqual(await keyOf(made.places, "/p", "fox"), { key: first.key, isNew: false });
  assert.notEqual((await keyOf(made.places, "/q", "fox")).key, first.key);
  assert.notEqual((await keyOf(made.places, "/p", "owl")).key, first.key);
});

test("of many that begin at once all have one key, and nothing is left lying about", async () => {
  using made = temporaryPlaces();
  const keys = await Promise.all(Array.from({ length: 20 }, () => keyOf(made.places, "/p", "fox")));
  assert.equal(new Set(keys.map(({ key }) => key)).size, 1);
  assert.equal(keys.filter(({ isNew }) => isNew).length, 1);
  const [dir] = readdirSync(join(made.home, "mail", "agents"));
  assert.deepEqual(readdirSync(join(made.home, "mail", "agents", dir!)), ["fox.key"]);
});

test("only its user can read a key", async () => {
  using made = temporaryPlaces();
  await keyOf(made.places, "/p", "fox");
  const [dir] = readdirSync(join(made.home, "mail", "agents"));
  const path = join(made.home, "mail", "agents", dir!);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, "fox.key")).mode & 0o777, 0o600);
});

test("names are told last user first, and follow a rename", async () => {
  using made = temporaryPlaces();
  const fox = await keyOf(made.places, "/p", "fox");
  await keyOf(made.places, "/p", "owl");
  assert.deepEqual((await namesOf(made.places, "/p")).sort(), ["fox", "owl"]);
  await renameKey(made.places, "/p", { from: "fox", to: "vixen" });
  await removeKey(made.places, "/p", "owl");
  assert.deepEqual(await namesOf(made.places, "/p"), ["vixen"]);
  assert.equal((await keyOf(made.places, "/p", "vixen")).key, fox.key);
  assert.deepEqual(await namesOf(made.places, "/other"), []);
});

test("a name is no path, and an empty key file is said", async () => {
  using made = temporaryPlaces();
  for (const name of ["../fox", "", "a/b", "x".repeat(33)]) {
    await assert.rejects(keyOf(made.places, "/p", name), (error) => isWarrenError(error, "INVALID_NAME"));
  }
  await keyOf(made.places, "/p", "fox");
  const [dir] = readdirSync(join(made.home, "mail", "agents"));
  writeFileSync(join(made.home, "mail", "agents", dir!, "fox.key"), "");
  await assert.rejects(keyOf(made.places, "/p", "fox"), (error) => isWarrenError(error, "KEY_FILE_UNREADABLE"));
});
