import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { job } from "../../test/tui/played.ts";
import type { Client } from "../client/client.ts";
import { Effects, type EffectsOptions } from "./effects.ts";

/** The message `add`, as it is sent for a command that was typed in this directory. */
async function addSentFrom(cwd: string): Promise<Record<string, unknown>> {
  const sent = Promise.withResolvers<Record<string, unknown>>();
  const ended = new AbortController();
  const request = (_: string, payload: Record<string, unknown>): Promise<unknown> => {
    sent.resolve(payload);
    return Promise.resolve({ job: job("1aa"), action: "created" });
  };
  const effects = new Effects({
    client: { request } as unknown as Client,
    dispatch: () => {},
    onDemand: () => {},
    cwd,
    env: {},
    signal: ended.signal,
  } as unknown as EffectsOptions);
  effects.run({ kind: "perform", verb: { verb: "add", commandLine: "npm run dev" }, label: "" });
  try {
    return await sent.promise;
  } finally {
    ended.abort();
  }
}

test("add: a job belongs to the project of its directory, as one that the command line adds", async () => {
  const project = mkdtempSync(join(tmpdir(), "warren-effects-"));
  try {
    const cwd = join(project, "web");
    mkdirSync(cwd);
    assert.equal("project" in (await addSentFrom(cwd)), false);
    writeFileSync(join(project, "warren.yaml"), "");
    const { command, workdir, project: sent } = await addSentFrom(cwd);
    assert.deepEqual([command, workdir, sent], [["npm", "run", "dev"], cwd, project]);
  } finally {
    rmSync(project, { recursive: true });
  }
});
