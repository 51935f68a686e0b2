import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Client } from "../../client/client.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { followLog } from "./job-log.ts";

type Page = { items: { line: string }[]; run_id: string; next: object; is_running: boolean; is_more: boolean };

const page = (line: string, next: number, isRunning: boolean): Page => ({
  items: [{ line }],
  run_id: "r1",
  next: { stdout: next },
  is_running: isRunning,
  is_more: false,
});

const away = (): WarrenError => new WarrenError("MACHINE_AWAY", "It is away.");

/** Follows a log whose requests are answered so, one after the other. */
async function followed(answers: (Page | WarrenError)[], signal = new AbortController().signal) {
  const asked: object[] = [];
  const told: unknown[] = [];
  const request = async (_type: string, payload: object): Promise<Page> => {
    asked.push(payload);
    const answer = answers.shift()!;
    if (answer instanceof WarrenError) throw answer;
    return answer;
  };
  await followLog({
    client: { request } as unknown as Client,
    job: "web",
    signal,
    onPieces: (pieces) => told.push(...pieces.map((piece) => (piece as { line?: string }).line)),
    onFailed: (text) => told.push(text),
  });
  return { asked, told };
}

/** Time passes whenever somebody waits for it. */
function quickTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { setTimeout: later } = globalThis;
  t.mock.method(globalThis, "setTimeout", (task: () => void, delayMs: number) => {
    const timer = later(task, delayMs);
    setImmediate(() => t.mock.timers.tick(delayMs));
    return timer;
  });
}

test("log: while the machine does not answer it is said why, and it goes on from where it was", async (t) => {
  quickTime(t);
  const { asked, told } = await followed([page("one", 4, true), away(), away(), page("two", 8, false)]);
  assert.deepEqual(told, [undefined, "one", "It is away.", "It is away.", undefined, "two"]);
  assert.deepEqual(
    asked.slice(1).map((payload) => (payload as { from?: object }).from),
    [{ stdout: 4 }, { stdout: 4 }, { stdout: 4 }],
  );
});

test("log: of a machine that is away when it is opened, it begins with its end once it is there", async (t) => {
  quickTime(t);
  const { asked, told } = await followed([away(), page("one", 4, false)]);
  assert.deepEqual(told, ["It is away.", undefined, "one"]);
  assert.deepEqual(asked[0], asked[1]);
});

test("log: a job that has not run yet has none, and nobody asks again", async () => {
  const { told } = await followed([new WarrenError("NO_RUN_YET", "Job web has not run yet.")]);
  assert.deepEqual(told, []);
});

test("log: who leaves while it is waited for ends that", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const gone = new AbortController();
  const following = followed([away()], gone.signal);
  await new Promise(setImmediate);
  gone.abort();
  assert.deepEqual((await following).told, ["It is away."]);
});
