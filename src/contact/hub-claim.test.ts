import assert from "node:assert/strict";
import { test } from "node:test";
import { claimAt } from "./hub-claim.ts";

const ADDRESS = "https://home.example";
const KEY = "ab".repeat(32);

const answered = (body: string, init?: ResponseInit) => {
  const asked: string[] = [];
  const ask = async (url: string): Promise<Response> => {
    asked.push(url);
    return new Response(body, init);
  };
  return { asked, claim: claimAt(ADDRESS, new AbortController().signal, ask) };
};

test("hub claim: a hub's key and label, from the one path that every hub has", async () => {
  const { asked, claim } = answered(JSON.stringify({ key: KEY, label: "x".repeat(500) }));
  const { key, label } = await claim;
  assert.deepEqual([Buffer.from(key).toString("hex"), label.length, asked], [KEY, 100, [`${ADDRESS}/hub/v1/key`]]);
});

test("hub claim: what is no hub's word is said as such, however much of it comes", async () => {
  const wrong: [string, ResponseInit?][] = [
    ["<html>a shop</html>"],
    ["{}"],
    [JSON.stringify({ key: "ab" })],
    [JSON.stringify({ key: `${KEY}zz` })],
    [JSON.stringify({ key: KEY }), { status: 500 }],
    [JSON.stringify({ key: KEY, label: "x".repeat(20_000) })],
  ];
  for (const [body, init] of wrong)
    await assert.rejects(answered(body, init).claim, { code: "HUB_NOT_THERE" }, body.slice(0, 40));
});
