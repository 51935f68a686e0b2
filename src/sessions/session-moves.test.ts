import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../protocol/errors.ts";
import type { LiveSession } from "./live-session.ts";
import { SessionMoves, type SessionMovesOptions } from "./session-moves.ts";

/** A session of the server "blazing", which gives it to "frozen", from whom no answer comes. */
function giving(takeBack: () => Promise<void>) {
  const said: string[] = [];
  const record = {
    ...{
      id: "1fox",
      name: "fox",
      kind: "session",
      server: "blazing",
      command: ["sh"],
      directory: "/",
      env: [],
      labels: {},
    },
    ...{ created_at_ms: 1, started_at_ms: 1, active_at_ms: 1, cols: 80, rows: 24, resume_count: 0, ended: null },
  };
  const session = { record, channel: { epoch: 3 }, live: () => ({}) } as unknown as LiveSession;
  const moves = new SessionMoves({
    server: "blazing",
    records: {},
    live: {
      letGo: async () => void said.push("let go"),
      takeOver: async (_: unknown, epoch: number) => {
        said.push(`take back from ${epoch}`);
        await takeBack();
      },
      changed: (what: string) => void said.push(`changed ${what}`),
    },
    found: { mustLive: async () => session, whileLeaving: async ({ gone }: { gone: Promise<void> }) => gone },
    onMoved: (id: string) => void said.push(`moved ${id}`),
    askServer: async (to: string, type: string, payload: object) => {
      said.push(`${to} ${type} ${JSON.stringify(payload)}`);
      throw new WarrenError("TIMEOUT", "No answer.");
    },
  } as unknown as SessionMovesOptions);
  return { moves, said };
}

const ASKED = ["let go", 'frozen session.take {"id":"1fox","epoch":3}', "take back from 3"];

test("move: without an answer it is taken back from the lease under which it was given away", async () => {
  const { moves, said } = giving(async () => {});
  await assert.rejects(moves.move({ session: "fox", to: "frozen" }), { code: "MOVE_FAILED" });
  assert.deepEqual(said, ASKED);
  await new Promise(setImmediate);
  assert.deepEqual(said, [...ASKED, "moved 1fox"], "who followed it comes back");
});

test("move: where the other side has taken it and only its answer is missing, it has moved", async () => {
  const { moves, said } = giving(async () => {
    throw new WarrenError("STALE_EPOCH", "1fox is steered by frozen now.");
  });
  const { session } = await moves.move({ session: "fox", to: "frozen" });
  assert.equal(session.server, "frozen");
  assert.deepEqual(said, [...ASKED, "changed members", "moved 1fox"]);
});

test("move: one that has ended meanwhile was not moved", async () => {
  const { moves } = giving(async () => {
    throw new WarrenError("SESSION_NOT_LIVE", "fox is not live.");
  });
  await assert.rejects(moves.move({ session: "fox", to: "frozen" }), { code: "MOVE_FAILED" });
});
