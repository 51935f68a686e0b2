import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { Turns } from "../platform/turns.ts";
import { WarrenError } from "../protocol/errors.ts";
import { SessionPorts } from "../registry/session-ports.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { sessionIdFor } from "./session-ids.ts";
import { SessionStarts, type SessionStartsOptions } from "./session-starts.ts";

/** A home in which another server begins the session `id` first, on port 1: what it has written is there when the keeper refuses ours. */
class Outrun implements Disposable {
  readonly id = sessionIdFor("request");
  readonly directory = mkdtempSync(join(tmpdir(), "warren-starts-"));
  readonly records = new SessionRecords(join(this.directory, "sessions"), () => {});
  readonly ports: SessionPorts;
  readonly starts: SessionStarts;

  constructor({ isFree = () => true }: { isFree?: (port: number) => boolean } = {}) {
    const places = { dir: join(this.directory, "ports"), lockPath: join(this.directory, "lock") };
    this.ports = new SessionPorts({ ...places, from: 1, to: 3, isFree });
    this.records.prepare(this.id);
    this.ports.claim(1, this.id);
    this.starts = new SessionStarts({
      records: this.records,
      ports: this.ports,
      live: {
        get: () => undefined,
        open: async () => {
          this.write({ server: "frozen", port: 1 });
          throw new WarrenError("CHANNEL_EXISTS", "refused");
        },
      },
      found: { live: async () => undefined, saved: async () => this.records.read(this.id) },
      saved: { endedOf: async () => [] },
      server: "blazing",
      clock: new HandClock(),
      turns: new Turns(),
    } as unknown as SessionStartsOptions);
  }

  write(more: Partial<SessionRecord>): SessionRecord {
    const record = { ...RECORD, id: this.id, name: "fox", server: "blazing", directory: this.directory, ...more };
    this.records.write(record);
    return record;
  }

  /** The ports that some session has. */
  claimed(): number[] {
    return [1, 2, 3].filter((port) => !this.ports.claim(port, "another"));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

test("create: what another server has begun for the same request keeps its record and its port", async () => {
  using home = new Outrun();
  const request = { command: ["/bin/sh"], workdir: home.directory, env: ["PATH=/bin"] };
  await assert.rejects(home.starts.create(request, "request"), LIVE);
  assert.equal(home.records.read(home.id)?.server, "frozen");
  assert.deepEqual(home.claimed(), [1], "what it would have had is free");
});

test("resume: one that comes second leaves the faster server's record and port, and keeps none of its own", async () => {
  using home = new Outrun({ isFree: (port) => port !== 2 });
  home.ports.claim(2, home.id); // where a stranger listens by now
  const ended = { outcome: { kind: "exited", status: 0 }, at_ms: 1, saved: false } as const;
  home.write({ port: 2, ended });
  await assert.rejects(home.starts.resume({ session: "fox" }), LIVE);
  assert.equal(home.records.read(home.id)?.server, "frozen");
  assert.deepEqual(home.claimed(), [1, 2], "the one before is its to give back");
});

const LIVE = { code: "SESSION_LIVE", message: "fox is still running." };

const RECORD: Omit<SessionRecord, "id" | "name" | "server" | "directory"> = {
  ...{ format: 1, oldest_reader: 1, kind: "session", command: ["/bin/sh"], env: [], labels: {}, tag: 1 },
  ...{ created_at_ms: 1, started_at_ms: 1, active_at_ms: 1, cols: 80, rows: 24, resume_count: 0, ended: null },
};
