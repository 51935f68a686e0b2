import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { WebSocket } from "ws";
import { HubTalk, logIn, testRecord } from "../../src/hub/testing/hub-talk.ts";
import type { SigningKey } from "../../src/sealing/crypto.ts";
import type { FrameOf } from "../../src/sealing/frames.ts";
import type { Role } from "../../src/sealing/login.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";
import { type Bench, type Case, measuredOf } from "../cases/case.ts";
import { memoryOf, sleep } from "../processes.ts";
import type { Row, Unit } from "../result.ts";
import { ownRuntime, type Stage } from "../stage.ts";

const DEVICES = 1_000;
const DEVICES_OF_MACHINE = 31;
/** Fewer than the hub lets wait for their login from one address. */
const CONNECTING = 50;
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

const crypto = webCrypto();

/** What a hub needs, and what goes through it. The clients are this process, on the same two cores. */
export const hub: Case = {
  name: "hub",
  async run(bench) {
    const host = await startHub(bench.stage);
    try {
      const rows: Row[] = [await memoryRow(bench, host, "PSS, idle", { atMost: PSS_MB, of: "p50" })];
      const spaces = await fill(host, bench.quick ? 40 : DEVICES);
      rows.push(await memoryRow(bench, host, `PSS, ${spaces.length * DEVICES_OF_MACHINE} devices connected`));
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
      return { title: "Hub", rows, peers: [] };
    } finally {
      host.child.kill("SIGKILL");
    }
  },
};

interface Host {
  child: ChildProcess;
  port: number;
  key: Uint8Array;
}

interface Guest {
  talk: HubTalk;
  key: SigningKey;
}

interface Space {
  machine: Guest;
  devices: Guest[];
}

const row = (what: string, unit: Unit, samples: number[]): Row => ({
  what,
  unit,
  measured: measuredOf(new Map([["warren", samples]])),
});

async function startHub(stage: Stage): Promise<Host> {
  const home = join(stage.dir, "hub-home");
  await mkdir(home, { mode: 0o700 });
  const runtime = await ownRuntime(stage, "hub");
  const args = ["--max-semi-space-size=1", join(stage.checkout, "dist", "hub.js"), "--port=0", "--open", "--json"];
  const child = spawn(runtime, args, {
    env: { ...stage.env, WARREN_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout!, "data");
  const { port, key } = JSON.parse(String(line));
  return { child, port, key: Buffer.from(key, "hex") };
}

async function memoryRow(bench: Bench, { child }: Host, what: string, target?: Row["target"]): Promise<Row> {
  await sleep(bench.quick ? 500 : SETTLE_MS);
  const { pssMB } = await memoryOf([child.pid!]);
  return { ...row(what, "MB", [pssMB]), ...(target && { target }) };
}

async function enter({ port, key: hubKey }: Host, role: Role, key: SigningKey): Promise<Guest> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/hub/v1`, { perMessageDeflate: false });
  const talk = new HubTalk((bytes) => socket.send(bytes));
  socket.on("message", (data: Buffer) => talk.hear(data));
  const missed = await logIn(talk, { crypto, hubKey, key, role, isNew: true });
  if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
  return { talk, key };
}

async function fill(host: Host, deviceCount: number): Promise<Space[]> {
  const spaces: Space[] = [];
  const waiting: (() => Promise<void>)[] = [];
  const spaceCount = Math.max(PAIRS, Math.ceil(deviceCount / DEVICES_OF_MACHINE));
  for (let count = 0; count < spaceCount; count++) {
    const space: Space = { machine: await enter(host, "machine", await crypto.newSigningKey()), devices: [] };
    spaces.push(space);
    for (let request = 0; request < DEVICES_OF_MACHINE; request++) {
      const key = await crypto.newSigningKey();
      await space.machine.talk.answer({ kind: "admit", request, loginKey: key.publicKey });
      waiting.push(async () => void space.devices.push(await enter(host, "device", key)));
    }
  }
  while (waiting.length > 0) await Promise.all(waiting.splice(0, CONNECTING).map((connect) => connect()));
  return spaces;
}

async function openChannel({ machine, devices }: Space, channel: number): Promise<number> {
  devices[0]!.talk.send({ kind: "open", channel, space: machine.key.publicKey });
  return (await machine.talk.next("opened")).channel;
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
