import type { WebSocket } from "ws";
import { handshakePair, shakeHands, sidesOf } from "../../src/sealing/testing/noise-pair.ts";
import { type Bench, type Case, measuredOf, rounds } from "../cases/case.ts";
import { runSeries } from "../series.ts";
import { crypto, fillSpaces, openChannel, type Space } from "./guests.ts";
import { endHub, type HubHost, startHub } from "./hub-process.ts";
import { startPlainRelay } from "./plain-relay.ts";

/** Within what a member may send at once (80 MiB, of which 8 come back a second): each round has a member of its own. */
const BYTES = 32 * 1024 * 1024;
const QUICK_BYTES = 4 * 1024 * 1024;
const FRAME_BYTES = 32 * 1024;
/** What may be on the way: less than a channel's credit, since what is sealed is a little longer. */
const WINDOW_BYTES = 192 * 1024;
const ROUNDS = { roundCountMin: 7, roundCountMax: 14 };
const ECHOES = { roundCountMin: 500, roundCountMax: 1_000, warmUpCount: 50 };
const ECHO_BYTES = 100;
const MB = 1_000_000;
export const RELAY = "plain relay";

/** One stream in one direction, and a small message there and back: through a hub, and through a process that only passes on. Both ends are this process. */
export const stream: Case = {
  name: "stream",
  async run(bench) {
    const hub = await startHub(bench.stage, { label: "stream" });
    const relay = await startPlainRelay(bench.stage);
    try {
      const bytes = bench.quick ? QUICK_BYTES : BYTES;
      let pairCount = 0;
      const relayed = async () => flow(bytes, plainPipe(await relay.pair(`flow${pairCount++}`)));
      const bare = async () => flow(bytes, hubPipe(await newSpace(hub)));
      const sealed = async () => flow(bytes, await sealedPipe(hubPipe(await newSpace(hub))));
      const speeds = await runSeries(
        [
          { name: "warren", sample: bare },
          { name: RELAY, sample: relayed },
          { name: "sealed", sample: sealed },
        ],
        rounds(bench, ROUNDS),
      );
      const echoes = await echoSeries(bench, hubPipe(await newSpace(hub)), plainPipe(await relay.pair("echo")));
      const frames = `frames of ${FRAME_BYTES / 1024} KiB`;
      return {
        title: "One stream through a hub",
        peers: [RELAY],
        rows: [
          { what: frames, unit: "MB/s", measured: measuredOf(speeds, ["warren", RELAY]) },
          {
            what: `${frames}, sealed and opened by both ends`,
            unit: "MB/s",
            measured: [
              { subject: "warren", samples: speeds.get("sealed")! },
              { subject: RELAY, samples: speeds.get(RELAY)! },
            ],
            note: "the relay's are not sealed. Above 8 MiB a second for ten seconds a hub slows a member down.",
          },
          { what: `${ECHO_BYTES} B there and back`, unit: "ms", measured: measuredOf(echoes) },
        ],
      };
    } finally {
      await endHub(hub);
      relay.child.kill("SIGKILL");
    }
  },
};

/** One way for messages, with what the reader has taken told to the writer; and messages back. */
interface Pipe {
  send(bytes: Uint8Array): Promise<void> | void;
  sendBack(bytes: Uint8Array): Promise<void> | void;
  onMessage: (bytes: Uint8Array) => void;
  onBack: (bytes: Uint8Array) => void;
  onTaken: (count: number) => void;
  take(count: number): void;
}

const nothing = (): void => {};

/** Megabytes a second, with no more than the window on the way. */
async function flow(byteCount: number, pipe: Pipe): Promise<number> {
  const frame = new Uint8Array(FRAME_BYTES).fill(7);
  const done = Promise.withResolvers<void>();
  let [sent, taken, come] = [0, 0, 0];
  const more = async (): Promise<void> => {
    while (sent < byteCount && sent - taken + FRAME_BYTES <= WINDOW_BYTES) {
      sent += FRAME_BYTES;
      await pipe.send(frame);
    }
  };
  pipe.onTaken = (count) => {
    taken += count;
    void more();
  };
  pipe.onMessage = (bytes) => {
    come += bytes.length;
    pipe.take(bytes.length);
    if (come >= byteCount) done.resolve();
  };
  const startMs = performance.now();
  await more();
  await done.promise;
  return byteCount / MB / ((performance.now() - startMs) / 1_000);
}

async function echoSeries(bench: Bench, hub: Pipe, relay: Pipe): Promise<Map<string, number[]>> {
  const message = new Uint8Array(ECHO_BYTES);
  const echo = (name: string, pipe: Pipe) => {
    pipe.onMessage = (bytes) => {
      pipe.take(bytes.length);
      void pipe.sendBack(bytes.slice());
    };
    const sample = async (): Promise<number> => {
      const back = Promise.withResolvers<void>();
      pipe.onBack = () => back.resolve();
      const startMs = performance.now();
      await pipe.send(message);
      await back.promise;
      return performance.now() - startMs;
    };
    return { name, sample };
  };
  return runSeries([echo("warren", hub), echo(RELAY, relay)], rounds(bench, ECHOES));
}

async function newSpace(hub: HubHost): Promise<Space> {
  const [space] = await fillSpaces(hub, { spaceCount: 1, devicesOfSpace: 1 });
  return space!;
}

/** A channel from a space's device to its machine. */
function hubPipe(space: Space): Pipe {
  const [device, machine] = [space.devices[0]!.talk, space.machine.talk];
  let number = 0;
  const ready = openChannel(space, 1).then((opened) => {
    number = opened;
  });
  const pipe: Pipe = {
    send: (bytes) => ready.then(() => device.send({ kind: "data", channel: 1, bytes })),
    sendBack: (bytes) => machine.send({ kind: "data", channel: number, bytes }),
    take: (bytes) => machine.send({ kind: "credit", channel: number, bytes }),
    onMessage: nothing,
    onBack: nothing,
    onTaken: nothing,
  };
  machine.on("data", ({ bytes }) => pipe.onMessage(bytes));
  device.on("data", ({ bytes }) => {
    device.send({ kind: "credit", channel: 1, bytes: bytes.length });
    pipe.onBack(bytes);
  });
  device.on("credit", ({ bytes }) => pipe.onTaken(bytes));
  return pipe;
}

/** The same over two plain WebSockets: what was taken is a message of four bytes back, as a hub's credit is one. */
function plainPipe([from, to]: [WebSocket, WebSocket]): Pipe {
  const pipe: Pipe = {
    send: (bytes) => from.send(bytes),
    sendBack: (bytes) => to.send(bytes),
    take(count) {
      const word = Buffer.alloc(4);
      word.writeUInt32BE(count);
      to.send(word);
    },
    onMessage: nothing,
    onBack: nothing,
    onTaken: nothing,
  };
  to.on("message", (data: Buffer) => pipe.onMessage(data));
  from.on("message", (data: Buffer) => (data.length === 4 ? pipe.onTaken(data.readUInt32BE()) : pipe.onBack(data)));
  return pipe;
}

/** As a live session does it: what is sent is sealed, in order, and opened at the other end. */
async function sealedPipe(inner: Pipe): Promise<Pipe> {
  const { initiator, responder } = await shakeHands(await handshakePair(crypto, await sidesOf(crypto, "IK")));
  let [lastSent, lastCome] = [Promise.resolve(), Promise.resolve()];
  const pipe: Pipe = {
    ...inner,
    send(bytes) {
      lastSent = lastSent.then(async () => inner.send(await initiator.seal(bytes)));
      return lastSent;
    },
    take: nothing,
    onTaken: nothing,
  };
  inner.onTaken = (count) => pipe.onTaken(count);
  inner.onMessage = (bytes) => {
    const sealed = bytes.slice();
    lastCome = lastCome.then(async () => {
      const text = await responder.open(sealed);
      inner.take(sealed.length);
      pipe.onMessage(text);
    });
  };
  return pipe;
}
