import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HookSession } from "../../hooks/hook-session.ts";
import { keyFileOf, keyOf } from "../../local/mail-keys.ts";
import { resolvePlaces } from "../../platform/paths.ts";
import { Identity } from "./identity.ts";

test("an agent has one name: its MCP server has the one of its hooks, and its hooks the one that it registers", async () => {
  const home = mkdtempSync(join(tmpdir(), "warren-identity-"));
  try {
    const places = resolvePlaces({ WARREN_HOME: home, XDG_RUNTIME_DIR: home });
    const agent = { pid: 4711, start: "12" };
    const identity = new Identity({ env: {}, cwd: home, places, agent });
    assert.equal(identity.name(), undefined, "no hooks have run");
    const { key } = await keyOf(places, "/elsewhere", "shop-1");
    const session = new HookSession(places, "s-1");
    const key_file = keyFileOf(places, "/elsewhere", "shop-1");
    session.remember({
      format: 1,
      name: "shop-1",
      client_id: "c",
      agent,
      project: "/elsewhere",
      key_file,
      is_in_env: true,
    });
    assert.deepEqual([identity.name(), (await identity.claim()).proof], ["shop-1", { key }]);
    assert.equal(
      new Identity({ env: {}, cwd: home, places, agent: { ...agent, start: "13" } }).name(),
      undefined,
      "another process",
    );
    await identity.claim("reviewer");
    identity.take("reviewer");
    const { name, is_in_env, ...record } = session.record()!;
    assert.deepEqual([name, is_in_env, record.key_file], ["reviewer", undefined, keyFileOf(places, home, "reviewer")]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
