import assert from "node:assert/strict";
import { test } from "node:test";
import { natsAddress } from "./nats-settings.ts";

test("nats url: user, password and token are decoded", () => {
  const server = "host:4222";
  assert.deepEqual(natsAddress("nats://ann:50%25off@host"), { server, isTls: false, user: "ann", pass: "50%off" });
  assert.deepEqual(natsAddress("tls://t%40ken@host"), { server, isTls: true, token: "t@ken" });
});

test("nats url: what is none is refused, without what is secret in it", () => {
  for (const url of ["http://host", "nats://", "host:4222"])
    assert.throws(() => natsAddress(url), { code: "INVALID_URL" });
  for (const url of ["nats://ann:50%off@host", "nats://100%@host"])
    assert.throws(() => natsAddress(url), {
      code: "INVALID_URL",
      message: /^What stands before the host of nats:\/\/host /,
    });
});
