import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { NO_RUNS } from "../../src/jobs/history.ts";
import type { JobRecord, RunRecord } from "../../src/jobs/records.ts";
import { openState } from "../../src/jobs/schema.ts";
import { JobStore } from "../../src/jobs/store.ts";
import { withRunning } from "../peers/all.ts";
import { addBy, connect } from "../peers/client.ts";
import { sleeper } from "../peers/peer.ts";
import { type WarrenPeer, warrenPeer } from "../peers/warren.ts";
import type { Row, Section } from "../result.ts";
import { type Candidate, median, runSeries } from "../series.ts";
import { time } from "../timed.ts";
import { type Bench, type Case, rounds } from "./case.ts";

const RUN_COUNT = 100_000;
const RUN_COUNT_QUICK = 2_000;
const RUNS_PER_JOB = 500;
/** "Flat": within 10 % of the empty store. */
const FLAT = 1.1;
const DAY_MS = 24 * 3_600_000;

/**
 * A home with a long history beside an empty one: rows through the store's own code, and the (empty) log files that such runs leave. The history is of
 * other directories, as it mostly is.
 */
export const fullStore: Case = {
  name: "full-store",
  async run(bench): Promise<Section> {
    const runCount = bench.quick ? RUN_COUNT_QUICK : RUN_COUNT;
    const empty = await warrenPeer(bench.stage, "empty");
    const full = await warrenPeer(bench.stage, "full");
    await fill(full, runCount);
    return withRunning([empty, full], async () => {
      const counts = { roundCountMin: 40, roundCountMax: 80, warmUpCount: 3 };
      const both = (sample: (warren: WarrenPeer) => Candidate["sample"]): Promise<Map<string, number[]>> =>
        runSeries(
          [
            { name: "empty", sample: sample(empty) },
            { name: "full", sample: sample(full) },
          ],
          rounds(bench, counts),
        );
      const add = await both(addByCommand);
      const list = await both((warren) => () => time(warren.list));
      const clientAdd = await withClients(bench, [empty, full]);
      const rows = (what: string, samples: Map<string, number[]>) => compare(what, samples, runCount);
      return {
        title: `${runCount.toLocaleString("en")} stored runs beside an empty store`,
        rows: [...rows("`add`", add), ...rows("`list`", list), ...rows("`add` by a connected client", clientAdd)],
      };
    });
  },
};

const addByCommand = (warren: WarrenPeer) => async (round: number) => {
  const job = sleeper(`added-${round + 3}`);
  const elapsedMs = await time(warren.add(job));
  await warren.remove(job.name);
  return elapsedMs;
};

async function withClients(bench: Bench, homes: readonly WarrenPeer[]): Promise<Map<string, number[]>> {
  const clients = await Promise.all(homes.map(connect));
  const candidates = homes.map((warren, at) => ({
    name: at === 0 ? "empty" : "full",
    sample: async (round: number) => {
      const client = clients[at]!;
      const startMs = performance.now();
      const id = await addBy(client, warren, sleeper(`quick-${round + 10}`));
      const elapsedMs = performance.now() - startMs;
      await client.request("stop", { job_id: id, grace_ms: 1_000 });
      await client.request("remove", { job_id: id });
      return elapsedMs;
    },
  }));
  try {
    return await runSeries(candidates, rounds(bench, { roundCountMin: 200, roundCountMax: 600, warmUpCount: 10 }));
  } finally {
    for (const client of clients) client.close();
  }
}

function compare(what: string, samples: Map<string, number[]>, runCount: number): Row[] {
  const empty = samples.get("empty") ?? [];
  const emptyMs = median(empty);
  return [
    { what: `${what}, empty store`, unit: "ms", measured: [{ subject: "warren", samples: empty }] },
    {
      what: `${what}, ${runCount.toLocaleString("en")} runs`,
      unit: "ms",
      target: { atMost: emptyMs * FLAT, of: "p50", wording: `empty (${emptyMs.toFixed(2)}) + 10 %` },
      measured: [{ subject: "warren", samples: samples.get("full") ?? [] }],
    },
  ];
}

/** Fills a home that no server runs in. */
async function fill(warren: WarrenPeer, runCount: number): Promise<void> {
  await warren.up(); // makes the home as the product makes it
  await warren.down();
  const store = new JobStore(openState(join(warren.home, "state.db"), Date.now()).database);
  const logsDir = join(warren.home, "logs");
  await mkdir(logsDir, { recursive: true });
  const startMs = Date.now() - DAY_MS;
  try {
    for (let jobAt = 0; jobAt * RUNS_PER_JOB < runCount; jobAt++) {
      const jobId = `${jobAt % 10}${String(jobAt).padStart(4, "0")}`;
      const runIds: string[] = [];
      store.transaction(() => {
        store.insertJob(jobRecord(jobId, jobAt, startMs));
        for (let number = 1; number <= RUNS_PER_JOB; number++) {
          const run = runRecord(jobId, number, startMs + jobAt * 1_000 + number);
          store.insertRun(run);
          runIds.push(run.id);
        }
      });
      for (const id of runIds) {
        for (const stream of ["stdout", "stderr"])
          await (await open(join(logsDir, `${id}.${stream}.log`), "w")).close();
      }
    }
  } finally {
    store.close();
  }
}

const jobRecord = (id: string, at: number, createdAtMs: number): JobRecord => ({
  id,
  name: null,
  project: `/srv/project-${at}`,
  command: ["make", "test"],
  workdir: `/srv/project-${at}`,
  options: {},
  stats: {
    ...NO_RUNS,
    runCount: RUNS_PER_JOB,
    successCount: RUNS_PER_JOB,
    successTotalMs: RUNS_PER_JOB,
    minMs: 1,
    maxMs: 1,
    recentSuccessesMs: Array.from({ length: 100 }, () => 1),
  },
  nextRunNumber: RUNS_PER_JOB + 1,
  wanted: "down",
  restartCount: 0,
  restartAtMs: null,
  env: null,
  createdAtMs,
});

const runRecord = (jobId: string, number: number, startedAtMs: number): RunRecord => ({
  id: `${jobId}-${number}`,
  jobId,
  number,
  state: "ended",
  cause: "user",
  attempt: 1,
  tag: number,
  bootId: "00000000-0000-0000-0000-000000000000",
  jobPid: 1_000_000 + number,
  jobTicks: 1,
  shimPid: 2_000_000 + number,
  shimTicks: 1,
  ready: false,
  sent: [],
  stopDeadlineMs: null,
  outcome: { kind: "exited", status: 0 },
  startedAtMs,
  stoppedAtMs: startedAtMs + 1,
  peakMemoryBytes: 1_000_000,
  cpuMs: 1,
  stdoutDropped: null,
  stderrDropped: null,
});
