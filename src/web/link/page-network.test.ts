import assert from "node:assert/strict";
import { test } from "node:test";
import { pageNetwork } from "./page-network.ts";

/** A WebSocket of a page whose other end is the test. */
class ModelSocket extends EventTarget {
  readonly sent: Uint8Array[] = [];
  readyState = 0;
  binaryType = "blob";

  send(frame: Uint8Array): void {
    assert.equal(this.readyState, 1, "a page complains of what is sent otherwise");
    this.sent.push(frame);
  }

  close(): void {
    this.readyState = 2;
  }
}

test("page network: what is sent while a connection is closing goes nowhere, and its end is told once", async () => {
  const sockets: ModelSocket[] = [];
  const open = class extends ModelSocket {
    constructor() {
      super();
      sockets.push(this);
    }
  } as unknown as typeof WebSocket;
  const network = pageNetwork({ protocol: "https:", fetch, WebSocket: open });
  const ends: string[] = [];
  const events = { onFrame() {}, onClosed: () => void ends.push("closed") };
  const dialled = network.dial("https://home.example", events, new AbortController().signal);
  const [socket] = sockets;
  socket!.readyState = 1;
  socket!.dispatchEvent(new Event("open"));
  const wire = await dialled;
  wire.send(Uint8Array.of(1));
  wire.close();
  wire.send(Uint8Array.of(2));
  socket!.dispatchEvent(new Event("close"));
  wire.send(Uint8Array.of(3));
  assert.deepEqual([socket!.sent, ends], [[Uint8Array.of(1)], ["closed"]]);
});
