import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../../client/client.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { wholePath } from "./whole-path.ts";

const at = (home: string) => ({ request: async () => ({ home }) }) as unknown as Client;

test("path: ~ is the directory of the machine's user, and what is whole stays as it is", async () => {
  const kim = at("/home/kim/.warren");
  assert.equal(await wholePath(kim, "~"), "/home/kim");
  assert.equal(await wholePath(kim, "~/site"), "/home/kim/site");
  assert.equal(await wholePath(kim, "~kim"), "~kim");
  assert.equal(await wholePath(kim, "/srv/~"), "/srv/~");
  assert.equal(await wholePath(at("/.warren"), "~"), "/");
  assert.equal(await wholePath(at("/.warren"), "~/site"), "/site");
});

test("path: of a machine that does not say it, no other directory is taken for it", async () => {
  const away = {
    request: () => Promise.reject(new WarrenError("CONNECTION_LOST", "It is away.")),
  } as unknown as Client;
  await assert.rejects(wholePath(away, "~"), { code: "CONNECTION_LOST" });
  assert.equal(await wholePath(away, "/srv"), "/srv");
});
