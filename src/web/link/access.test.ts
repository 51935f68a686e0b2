import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError } from "../../protocol/errors.ts";
import { type AccessWorld, enter, forgetPass } from "./access.ts";

/** A browser that is told `answer` for its token. */
function browser(hash: string, answer: { status: number; text: string }) {
  const kept = new Map<string, string>();
  const asked: string[] = [];
  const shown: string[] = [];
  const world: AccessWorld = {
    location: { hash, pathname: "/" },
    history: { replaceState: (_state, _title, url) => void shown.push(String(url)) },
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    fetch: async (_path, init) => {
      asked.push(String(init?.body));
      return new Response(answer.text, { status: answer.status });
    },
  };
  return { world, asked, shown, kept };
}

test("access: a link's token is exchanged once, and leaves the address before anything is asked", async () => {
  const { world, asked, shown } = browser("#t=abc", { status: 200, text: "pass" });
  assert.equal(await enter(world), "pass");
  assert.deepEqual([asked, shown], [["abc"], ["/"]]);
  assert.equal(await enter({ ...world, location: { hash: "#/job/x", pathname: "/" } }), "pass", "kept for other tabs");
  assert.equal(asked.length, 1);
  forgetPass(world.storage);
  assert.equal(await enter({ ...world, location: { hash: "", pathname: "/" } }), undefined);
});

test("access: a link that was used lets in who was let in before, and nobody else", async () => {
  const { world, kept } = browser("#t=used", { status: 403, text: "no" });
  await assert.rejects(enter(world), (error) => isWarrenError(error, "LINK_USED"));
  kept.set("warren.pass", "old");
  assert.equal(await enter(world), "old");
});
