import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WarrenError } from "../../protocol/errors.ts";
import type { MessageType } from "../../protocol/messages.ts";
import type { Context } from "../context.ts";
import { down } from "./down.ts";

test("down: a job's tree that survived is told, also when the agents cannot be ended either", async () => {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), "warren-down-")));
  writeFileSync(join(cwd, "warren.yaml"), "jobs: {}\n");
  let hasLookedForAgents = false;
  const request = async (type: MessageType): Promise<never> => {
    throw type === "down" ? new WarrenError("TREE_SURVIVED", "One is left.") : new WarrenError("UNKNOWN_TYPE", type);
  };
  const context = {
    cwd,
    client: () => ({ request }),
    get places(): never {
      hasLookedForAgents = true;
      throw new WarrenError("NO_SERVER", "It has ended.");
    },
  } as unknown as Context;
  try {
    await assert.rejects(async () => down.run(context, { values: {}, operands: [] }), {
      code: "TREE_SURVIVED",
    });
    assert.equal(hasLookedForAgents, true);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
