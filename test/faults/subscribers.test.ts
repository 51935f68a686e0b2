import assert from "node:assert/strict";
import net from "node:net";
import { DatabaseSync } from "node:sqlite";
import type { Job } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { descriptorsOf } from "../harness/processes.ts";
import { type Message, RawConnection, socketOf } from "../harness/raw-connection.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { envOf, MEBIBYTE, residentBytes, test, undisturbed } from "./undisturbed.ts";

/** Who listens, who leaves, and who stops listening: none of them is anybody else's business. */
const TIMEOUT_MS = 60_000;
const CONNECTS = 10_000;
/** Before it is measured, and again then: what leaks 600 bytes a connection is seen. */
const STORMS = 5;
const SUBSCRIBERS = 1_000;
/** Past this the server cuts a reader off. */
const BACKLOG_BYTES = 4 * MEBIBYTE;

test("subscribers: 50,000 connects and drops leave no descriptor and no memory", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const { pid } = await house.server();
  const storm = async (count: number): Promise<void> => {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const raw = await RawConnection.open(house);
        if (left % 2 === 0) raw.write('{"type":"subscribe"}\n{"type":"wait","pay');
        raw.socket[left % 3 === 0 ? "end" : "destroy"]();
      }
    };
    await Promise.all(Array.from({ length: 50 }, lane));
    using raw = await RawConnection.open(house);
    await waitUntil(async () => (await raw.ask("status")).data?.client_count === 1, {
      what: "the last one to be gone",
    });
  };
  // The heap finds its working size: it may grow by 40 MiB a storm until the fifth, and then by none.
  for (let count = 0; count < STORMS; count++) await storm(CONNECTS);
  const [descriptors, bytes] = [descriptorsOf(pid).length, residentBytes(pid)];
  for (let count = 0; count < STORMS; count++) await storm(CONNECTS);
  await waitUntil(() => descriptorsOf(pid).length <= descriptors, { what: `${descriptors} descriptors` });
  const grown = residentBytes(pid) - bytes;
  assert.ok(grown < 30 * MEBIBYTE, `grew by ${Math.round(grown / MEBIBYTE)} MiB`);
  using raw = await RawConnection.open(house);
  assert.equal((await raw.ask("status")).data?.subscriber_count, 0);
});

test(
  "subscribers: one of a thousand never reads: the others get each event at once, it is cut off and continues",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    using all = new DisposableStack();
    const readers = await Promise.all(Array.from({ length: SUBSCRIBERS - 1 }, () => RawConnection.open(house)));
    for (const reader of readers) all.use(reader);
    const seqs = await Promise.all(
      readers.map(async (one) => streamOf(await one.ask("subscribe", { ...ENDS, workdir: house.dir })).seq),
    );
    const since = seqs[0]!;
    const deaf = net.connect(socketOf(house)); // nobody reads it: its bytes stay in the kernel, then in the server
    all.defer(() => deaf.destroy());
    deaf.on("error", () => {});
    deaf.write('{"id":1,"type":"subscribe"}\n');
    using driver = await RawConnection.open(house);
    const statusOf = async () => (await driver.ask("status")).data as { client_count: number; queued_bytes: number };
    await waitUntil(async () => (await driver.ask("status")).data?.subscriber_count === SUBSCRIBERS, { what: "all" });

    const quiet = { command: ["true"], workdir: house.dir, env: envOf(house) };
    const loud = { ...quiet, workdir: "/", description: "d".repeat(200_000) }; // for the deaf one alone
    let [rounds, slowestMs, queuedMax] = [0, 0, 0];
    while ((await statusOf()).client_count > SUBSCRIBERS) {
      assert.ok(rounds < 40, "it is cut off in the end");
      rounds += 1;
      const startedMs = performance.now();
      await driver.ask("add", loud);
      await driver.ask("add", quiet);
      await Promise.all(
        readers.map((one) => one.next(({ event }) => event !== undefined && one.events().length >= rounds)),
      );
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      queuedMax = Math.max(queuedMax, (await statusOf()).queued_bytes);
    }
    assert.ok(slowestMs < 3_000, `a job's end reached ${readers.length} readers within ${Math.round(slowestMs)} ms`);
    assert.ok(queuedMax < BACKLOG_BYTES + MEBIBYTE, `at most ${queuedMax} bytes were held for it`);
    assert.ok((await statusOf()).queued_bytes < MEBIBYTE, "nothing is held for it any more");

    using back = await RawConnection.open(house);
    const { seq, snapshot } = streamOf(await back.ask("subscribe", { since: { jobs: since } }));
    assert.equal(snapshot, null, "it continues where it was");
    await back.next((message) => message.seq === seq);
    assert.deepEqual(
      back.events().map((event) => event.seq),
      range(since + 1, seq),
    );
  },
);

test(
  "subscribers: a snapshot, then all that follows; since goes on; too old is a gap",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    using driver = await RawConnection.open(house);
    const old = await run(driver, house, ["true"]);
    using whole = await RawConnection.open(house);
    const begun = streamOf(await whole.ask("subscribe"));
    assert.deepEqual(idsIn(begun.snapshot), [old.id]);
    assert.equal(begun.gap, undefined);
    const young = await run(driver, house, ["sh", "-c", "exit 4"]);
    const end = streamOf(await driver.ask("subscribe")).seq;
    await whole.next((message) => message.seq === end);
    assert.deepEqual(
      whole.events().map(({ seq }) => seq),
      range(begun.seq + 1, end),
    );
    const stopped = whole.events().find(({ event }) => event === "job_stopped") as { data?: { job: Job } } | undefined;
    assert.deepEqual(stopped?.data?.job.outcome, { kind: "exited", status: 4 });

    using later = await RawConnection.open(house);
    assert.deepEqual(streamOf(await later.ask("subscribe", { since: { jobs: begun.seq } })), {
      seq: end,
      snapshot: null,
    });
    await later.next((message) => message.seq === end);
    assert.deepEqual(later.events(), whole.events(), "the same events");

    const state = new DatabaseSync(house.places.stateDb); // as if 20,000 events had come since
    state.prepare("delete from events where seq <= ?").run(begun.seq + 1);
    state.close();
    for (const since of [begun.seq, 0, end + 1, -5]) {
      using far = await RawConnection.open(house);
      const { gap, snapshot, seq } = streamOf(await far.ask("subscribe", { since: { jobs: since } }));
      assert.deepEqual([gap, seq], [true, end], `since ${since}`);
      assert.deepEqual(idsIn(snapshot), [old.id, young.id].sort());
    }
  },
);

test("subscribers: workdir, job_ids and types choose, alone and together", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  using driver = await RawConnection.open(house);
  const [here, there] = [await run(driver, house, ["true"]), await run(driver, house, ["true"], "/")];
  const filters = {
    workdir: { workdir: "/" },
    types: { types: ["run_started", "run_stopped"] },
    job_ids: { job_ids: [here.id] },
    together: { workdir: "/", job_ids: [here.id, there.id], types: ["run_stopped"] },
    nothing: { job_ids: [] },
  };
  using all = new DisposableStack();
  const open = async (filter: object) => {
    const raw = all.use(await RawConnection.open(house));
    const answer = await raw.ask("subscribe", filter);
    return { raw, ids: idsIn(streamOf(answer).snapshot) };
  };
  const workdir = await open(filters.workdir);
  const types = await open(filters.types);
  const byId = await open(filters.job_ids);
  const together = await open(filters.together);
  const nothing = await open(filters.nothing);
  assert.deepEqual([workdir.ids, byId.ids, together.ids, nothing.ids], [[there.id], [here.id], [there.id], []]);
  const unfiltered = await open({});
  await run(driver, house, ["true"]);
  await run(driver, house, ["true"], "/");
  const end = streamOf(await driver.ask("subscribe")).seq;
  await unfiltered.raw.next(({ seq }) => seq === end);
  const every = unfiltered.raw.events();
  const expect = (seen: RawConnection, wanted: (event: Message) => boolean): void =>
    assert.deepEqual(seen.events(), every.filter(wanted));
  for (const { raw } of [workdir, types, byId, together, nothing]) await raw.ask("ping"); // what was sent before it is here
  expect(workdir.raw, ({ job_id }) => job_id === there.id);
  expect(types.raw, ({ event }) => event === "run_started" || event === "run_stopped");
  expect(byId.raw, ({ job_id }) => job_id === here.id);
  expect(together.raw, ({ job_id, event }) => job_id === there.id && event === "run_stopped");
  expect(nothing.raw, () => false);
  assert.ok(together.raw.events().length === 1 && byId.raw.events().length >= 4, "there was something to choose from");
});

/** One event for each run. */
const ENDS = { types: ["run_stopped"] };

async function run(driver: RawConnection, house: TemporaryHome, command: string[], workdir = house.dir): Promise<Job> {
  const { data } = await driver.ask("add", { command, workdir, env: envOf(house) });
  const ended = await driver.ask("wait", { job_id: (data?.job as Job).id, conditions: [{ kind: "exit" }] });
  return ended.data?.job as Job;
}

const streamOf = ({ data }: Message) =>
  (data as { streams: { jobs: { seq: number; snapshot: unknown; gap?: boolean } } }).streams.jobs;

const idsIn = (snapshot: unknown): string[] => (snapshot as { jobs: Job[] }).jobs.map(({ id }) => id).sort();

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);
