import { type Shelf, TABLES } from "../shelf.ts";

/** What every shelf does; run on memory in Node, and on IndexedDB in a browser. Throws where one does not. */
export async function shelfConforms(shelf: Shelf, newKey: () => Promise<CryptoKey>): Promise<string[]> {
  const said: string[] = [];
  const check = (what: string, isSo: boolean): void => {
    if (!isSo) throw new Error(`a shelf does not: ${what}`);
    said.push(what);
  };
  check("know nothing at first", (await shelf.get("hubs", "a")) === undefined);
  const value = { bytes: new Uint8Array([1, 2]), at: 5 };
  await shelf.write([
    { table: "hubs", key: "a", value },
    { table: "hubs", key: "b/2", value: 2 },
    { table: "hubs", key: "b/1", value: 1 },
    { table: "hubs", key: "c", value: 3 },
    { table: "machines", key: "a", value: "other" },
  ]);
  value.bytes[0] = 9;
  const got = await shelf.get<typeof value>("hubs", "a");
  check("keep a copy", got?.bytes[0] === 1 && got.at === 5);
  const all = await shelf.all<number>("hubs", "b/");
  check("find by the beginning, in order", all.map(({ key, value }) => `${key}=${value}`).join() === "b/1=1,b/2=2");
  check("keep tables apart", (await shelf.get("machines", "a")) === "other");
  await shelf.write([
    { table: "hubs", removeUnder: "b/" },
    { table: "hubs", remove: "c" },
    { table: "hubs", key: "d", value: 4 },
  ]);
  const left = await shelf.all("hubs");
  check("change several things at once", left.map(({ key }) => key).join() === "a,d");
  const key = await newKey();
  await shelf.write([{ table: "device", key: "keys", value: { secret: key } }]);
  const kept = await shelf.get<{ secret: CryptoKey }>("device", "keys");
  check("keep keys that nobody can read out", kept?.secret.extractable === false && kept.secret.type === "private");
  // A value that cannot be kept is the last of three: nothing of the three is kept.
  const bad = () => {};
  const refused = await shelf
    .write([
      { table: "rows", key: "x", value: 1 },
      { table: "hubs", remove: "a" },
      { table: "rows", key: "y", value: bad },
    ])
    .then(
      () => false,
      () => true,
    );
  const isWhole = (await shelf.get("rows", "x")) === undefined && (await shelf.get("hubs", "a")) !== undefined;
  check("write whole or not at all", refused && isWhole);
  for (const table of TABLES) await shelf.write([{ table, removeUnder: "" }]);
  const counts = await Promise.all(TABLES.map(async (table) => (await shelf.all(table)).length));
  check(
    "forget everything",
    counts.every((count) => count === 0),
  );
  return said;
}

export const newSecret = async (): Promise<CryptoKey> => {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  return pair.privateKey;
};
