import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import { SessionPorts } from "../registry/session-ports.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { sessionIdFor } from "./session-ids.ts";
import { SessionStarts, type SessionStartsOptions } from "./session-starts.ts";

test("create: what another server has begun for the same request keeps its record and its port", async () => {
  const directory = mkdtempSync(join(tmpdir(), "warren-starts-"));
  try {
    const records = new SessionRecords(join(directory, "sessions"), () => {});
    const ports = new SessionPorts({
      dir: join(directory, "ports"),
      lockPath: join(directory, "lock"),
      from: 1,
      to: 2,
      isFree: () => true,
    });
    const id = sessionIdFor("request");
    const faster = { ...RECORD, id, name: "fox", server: "frozen", port: 1, directory } satisfies SessionRecord;
    records.prepare(id);
    records.write(faster);
    ports.claim(1, id);
    const starts = new SessionStarts({
      records,
      ports,
      live: {
        get: () => undefined,
        open: async () => {
          throw new WarrenError("CHANNEL_EXISTS", "refused");
        },
      },
      saved: { endedOf: async () => [] },
      server: "blazing",
      clock: new HandClock(),
    } as unknown as SessionStartsOptions);
    const request = { command: ["/bin/sh"], workdir: directory, env: ["PATH=/bin"] };
    await assert.rejects(starts.create(request, "request"), { code: "SESSION_LIVE", message: "fox is still running." });
    assert.equal(records.read(id)?.server, "frozen");
    assert.deepEqual([existsSync(records.directoryOf(id)), ports.claim(1, "another")], [true, false]);
    assert.ok(ports.claim(2, "another"), "what it would have had is free");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const RECORD: Omit<SessionRecord, "id" | "name" | "server" | "directory"> = {
  ...{ format: 1, oldest_reader: 1, kind: "session", command: ["/bin/sh"], env: [], labels: {}, tag: 1 },
  ...{ created_at_ms: 1, started_at_ms: 1, active_at_ms: 1, cols: 80, rows: 24, resume_count: 0, ended: null },
};
