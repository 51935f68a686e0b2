import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../../sealing/live.ts";
import { Loopback } from "./loopback.ts";
import type { Way } from "./machine.ts";

/** A WebSocket whose other end is the test. */
class ModelSocket {
  readonly frames: LiveFrame[] = [];
  readonly #listeners = new Map<string, (event: never) => void>();
  binaryType: BinaryType = "blob";
  bufferedAmount = 0;
  isClosed = false;
  readyState = 0;
  onFrame: (frame: LiveFrame) => void = () => {};

  addEventListener(type: string, listener: unknown): void {
    this.#listeners.set(type, listener as (event: never) => void);
  }
  send(bytes: Uint8Array): void {
    const frame = decodeLive(bytes.slice());
    this.frames.push(frame);
    this.onFrame(frame);
  }
  close(code = 1000): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.readyState = 3;
    this.#listeners.get("close")?.({ code } as never);
  }
  opens(): void {
    this.readyState = 1;
    this.#listeners.get("open")?.({} as never);
  }
  says(frame: LiveFrame): void {
    const bytes = encodeLive(frame);
    this.#listeners.get("message")?.({ data: bytes.slice().buffer } as never);
  }
}

function setUp() {
  const sockets: ModelSocket[] = [];
  const timers: { delayMs: number; task: () => void }[] = [];
  const machine = new Loopback({
    name: "laptop",
    random: () => 0,
    timer: (delayMs, task) => {
      const timer = { delayMs, task };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
    open: () => {
      const socket = new ModelSocket();
      sockets.push(socket);
      return socket as never;
    },
  });
  const ways: Way["kind"][] = [];
  machine.watch(({ kind }) => ways.push(kind));
  const client = new Client({ dial: machine.dialLines(), name: "test", version: "0", randomId: () => "r" });
  return { sockets, timers, machine, ways, client };
}

/** Answers each request of a stream as a server does. */
function serve(socket: ModelSocket, answer: (type: string) => object): void {
  socket.onFrame = (frame) => {
    if (frame.kind !== "data") return;
    for (const line of new TextDecoder().decode(frame.bytes).trim().split("\n")) {
      const { id, type } = JSON.parse(line) as { id: number; type: string };
      const bytes = new TextEncoder().encode(`${JSON.stringify({ id, success: true, data: answer(type) })}\n`);
      queueMicrotask(() => socket.says({ kind: "data", stream: frame.stream, bytes }));
    }
  };
}

test("loopback: a request waits for the way, and is repeated when it was cut before the answer", async () => {
  const { sockets, timers, ways, client, machine } = setUp();
  const pong = client.request("ping", {});
  await new Promise(setImmediate);
  sockets[0]!.opens();
  await new Promise(setImmediate);
  assert.deepEqual([...new Set(sockets[0]!.frames.map(({ kind }) => kind))], ["open", "data"]);
  sockets[0]!.close(1006);
  assert.deepEqual(ways, ["connecting", "live", "away"]);
  timers.find(({ delayMs }) => delayMs === 200)!.task();
  serve(sockets[1]!, (type) => (type === "ping" ? { message: "pong" } : {}));
  sockets[1]!.opens();
  assert.deepEqual(await pong, { message: "pong" });
  client.close();
  machine.close();
});

test("loopback: what a stream was closed with is said to whoever asked; the next tries grow longer", async () => {
  const { sockets, timers, client, machine } = setUp();
  sockets[0]!.opens();
  sockets[0]!.onFrame = (frame) => {
    if (frame.kind !== "open") return;
    queueMicrotask(() =>
      sockets[0]!.says({ kind: "close", stream: frame.stream, code: "NO_SERVER", sentence: "None." }),
    );
  };
  await assert.rejects(client.request("ping", {}), (error) => isWarrenError(error, "NO_SERVER"));
  client.close();
  const delays: number[] = [];
  for (let at = 0; at < 8; at++) {
    sockets.at(-1)!.close(1006);
    const timer = timers.at(-1)!;
    delays.push(timer.delayMs);
    timer.task();
  }
  assert.deepEqual(delays, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  sockets.at(-1)!.close(1006);
  machine.hurry();
  assert.equal(sockets.length, 10, "somebody waits: at once");
  machine.close();
});

test("loopback: a pass that is not known ends it, and nobody tries again", async () => {
  const { sockets, timers, ways, client, machine } = setUp();
  const asked = client.request("ping", {});
  sockets[0]!.close(4401);
  await assert.rejects(asked, (error) => isWarrenError(error, "PASS_UNKNOWN"));
  assert.deepEqual([ways, sockets.length, timers.length], [["connecting", "refused"], 1, 0]);
  machine.close();
});
