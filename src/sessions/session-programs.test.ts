import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WarrenError } from "../protocol/errors.ts";
import type { KeeperCall } from "../protocol/keeper-calls.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { SessionPrograms, type SessionProgramsOptions } from "./session-programs.ts";

/** The records of a home whose keeper refuses to open a channel, for one reason after the other. */
class Refused implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "warren-programs-"));
  readonly records = new SessionRecords(this.#directory, () => {});
  /** What happens before the keeper refuses. */
  readonly refusals: { code: string; before?: () => void }[] = [];

  constructor() {
    this.records.prepare("s");
  }

  /** As a server called `server` would have it after a resume. */
  record(server: string): SessionRecord {
    return {
      oldest_reader: 1,
      id: "s",
      name: "fox",
      kind: "session",
      command: ["/bin/sh"],
      directory: "/",
      env: [],
      server,
    } as never;
  }

  start(record: SessionRecord): Promise<unknown> {
    const keeper = {
      call: async (call: KeeperCall) => {
        if (call.call === "channels") return { channels: [] };
        const refusal = this.refusals.shift()!;
        refusal.before?.();
        throw new WarrenError(refusal.code, "refused");
      },
    };
    const programs = new SessionPrograms({
      records: this.records,
      server: record.server,
      keeper,
    } as unknown as SessionProgramsOptions);
    return programs.start(record, { naming: "preferred", from: {}, taken: new Set() });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const ours = (home: Refused): SessionRecord => ({ ...home.record("blazing"), started_at_ms: 3, resumed_by: "ours" });
const faster = (home: Refused): SessionRecord => ({ ...home.record("frozen"), started_at_ms: 2, resumed_by: "theirs" });

for (const [what, codes] of [
  ["", ["CHANNEL_EXISTS"]],
  [", after another name", ["NAME_TAKEN", "CHANNEL_EXISTS"]],
] as const)
  test(`start: the record of the server that was faster is there again${what}`, async () => {
    using home = new Refused();
    home.records.write({ ...faster(home) });
    home.refusals.push(...codes.map((code) => ({ code })));
    await assert.rejects(home.start({ ...ours(home) }), { code: "CHANNEL_EXISTS" });
    assert.equal(home.records.read("s")?.resumed_by, "theirs");
  });

test("start: what the server that was faster has written since stays", async () => {
  using home = new Refused();
  home.records.write({ ...home.record("frozen"), started_at_ms: 1, resumed_by: "ended before" });
  const before = (): void => home.records.write({ ...faster(home) });
  home.refusals.push({ code: "CHANNEL_EXISTS", before });
  await assert.rejects(home.start({ ...ours(home) }), { code: "CHANNEL_EXISTS" });
  assert.equal(home.records.read("s")?.resumed_by, "theirs");
});
