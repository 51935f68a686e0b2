import { testRecord } from "../../src/hub/testing/hub-talk.ts";
import type { FrameOf } from "../../src/sealing/frames.ts";
import { type Bench, type Case, measuredOf } from "../cases/case.ts";
import { memoryOf, sleep } from "../processes.ts";
import type { Row, Unit } from "../result.ts";
import { crypto, fillSpaces, type Guest, openChannel, type Space } from "./guests.ts";
import { endHub, type HubHost, startHub } from "./hub-process.ts";

const DEVICES = 1_000;
const DEVICES_OF_SPACE = 31;
const SETTLE_MS = 5_000;
const PSS_MB = 60;
/** Within what a member may send at once. */
const RELAYED = 10_000;
const PAIRS = 8;
const FRAME_BYTES = 100;
const CREDIT_EVERY = 500;
const LATENCIES = 2_000;
const RECORDS = 2_000;
const RECORD_BYTES = 400;
const IN_FLIGHT = 32;

/** What a hub needs, and what goes through it. The clients are this process, on the same two cores. */
export const hub: Case = {
  name: "hub",
  async run(bench) {
    const host = await startHub(bench.stage, { label: "measured", isMeasured: true });
    try {
      const rows: Row[] = [await memoryRow(bench, host, "PSS, idle", { atMost: PSS_MB, of: "p50" })];
      const deviceCount = bench.quick ? 40 : DEVICES;
      const spaceCount = Math.max(PAIRS, Math.ceil(deviceCount / DEVICES_OF_SPACE));
      const spaces = await fillSpaces(host, { spaceCount, devicesOfSpace: DEVICES_OF_SPACE });
      rows.push(await memoryRow(bench, host, `PSS, ${spaceCount * DEVICES_OF_SPACE} devices connected`));
      rows.push(
        row("a frame of 100 B from device to machine", "ms", await latencies(spaces[0]!, bench.quick ? 50 : LATENCIES)),
      );
      rows.push(
        row(`frames of 100 B passed on, ${PAIRS} channels`, "msg/s", [
          await relay(spaces, bench.quick ? 500 : RELAYED),
        ]),
      );
      rows.push(
        row(`records of 400 B put and synced, ${PAIRS} machines`, "msg/s", [
          await puts(spaces, bench.quick ? 50 : RECORDS),
        ]),
      );
      rows.push(await memoryRow(bench, host, "PSS after all that"));
      return { title: "Hub", rows, peers: [] };
    } finally {
      await endHub(host);
    }
  },
};

const row = (what: string, unit: Unit, samples: number[]): Row => ({
  what,
  unit,
  measured: measuredOf(new Map([["warren", samples]])),
});

async function memoryRow(bench: Bench, { pid }: HubHost, what: string, target?: Row["target"]): Promise<Row> {
  await sleep(bench.quick ? 500 : SETTLE_MS);
  const { pssMB, ownMB } = await memoryOf([pid]);
  const note = `${ownMB.toFixed(1)} MB of it are data of its own; the rest are pages of its program.`;
  return { ...row(what, "MB", [pssMB]), note, ...(target && { target }) };
}

async function latencies(space: Space, count: number): Promise<number[]> {
  const number = await openChannel(space, 1);
  const samples: number[] = [];
  const bytes = new Uint8Array(FRAME_BYTES);
  for (let at = 0; at < count; at++) {
    const startMs = performance.now();
    space.devices[0]!.talk.send({ kind: "data", channel: 1, bytes });
    await space.machine.talk.next("data");
    samples.push(performance.now() - startMs);
    space.machine.talk.send({ kind: "credit", channel: number, bytes: FRAME_BYTES });
  }
  return samples;
}

/** Frames a second, over all pairs together. */
async function relay(spaces: readonly Space[], count: number): Promise<number> {
  const startMs = performance.now();
  await Promise.all(spaces.slice(0, PAIRS).map((space) => relayThrough(space, count)));
  return (count * PAIRS) / ((performance.now() - startMs) / 1_000);
}

async function relayThrough(space: Space, count: number): Promise<void> {
  const { machine, devices } = space;
  const number = await openChannel(space, 2);
  const bytes = new Uint8Array(FRAME_BYTES);
  for (let sent = 0; sent < count; sent += CREDIT_EVERY) {
    for (let at = 0; at < CREDIT_EVERY; at++) devices[0]!.talk.send({ kind: "data", channel: 2, bytes });
    for (let at = 0; at < CREDIT_EVERY; at++) await machine.talk.next("data");
    machine.talk.send({ kind: "credit", channel: number, bytes: CREDIT_EVERY * FRAME_BYTES });
  }
}

async function puts(spaces: readonly Space[], count: number): Promise<number> {
  const used = spaces.slice(0, PAIRS);
  const text = new Uint8Array(RECORD_BYTES);
  const records = await Promise.all(
    used.map(({ machine: { key } }) => {
      const [space, sender] = [key.publicKey, key.publicKey];
      const seqs = Array.from({ length: count }, (_, at) => at + 1);
      return Promise.all(seqs.map((seq) => testRecord(crypto, { kind: "item", space, sender, seq, text })));
    }),
  );
  const startMs = performance.now();
  await Promise.all(used.map(({ machine }, at) => putAll(machine, records[at]!)));
  return (count * used.length) / ((performance.now() - startMs) / 1_000);
}

async function putAll({ talk }: Guest, records: readonly Uint8Array[]): Promise<void> {
  let [sent, done] = [0, 0];
  while (done < records.length) {
    while (sent < records.length && sent - done < IN_FLIGHT)
      talk.send({ kind: "put", request: sent, record: records[sent++]! });
    const answer = (await talk.next("done", "failed")) as FrameOf<"done"> | FrameOf<"failed">;
    if (answer.kind === "failed") throw new Error(answer.sentence);
    done += 1;
  }
}
