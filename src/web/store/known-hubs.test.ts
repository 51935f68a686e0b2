import assert from "node:assert/strict";
import { test } from "node:test";
import type { Coordinator } from "../../client/remote/coordinator.ts";
import { KnownHubs, type KnownHubsOptions } from "./known-hubs.ts";

test("hubs: what would be lost with one is known in a tab that another one has spoken for", async () => {
  const unsent = [{ id: "i1", machine: "m1", type: "session.prompt" }];
  const coordinator = { unsentOf: (hub: string) => (hub === "f1" ? unsent : []) } as unknown as Coordinator;
  const hubs = new KnownHubs({
    coordinator: () => undefined,
    takeOver: async () => coordinator,
  } as Partial<KnownHubsOptions> as KnownHubsOptions);
  assert.deepEqual(await hubs.unsentOf("f1"), unsent);
});
