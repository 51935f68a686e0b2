import assert from "node:assert/strict";
import { RecordReader } from "../../src/client/remote/record-reader.ts";
import { MemoryRecords } from "../../src/client/remote/testing/memory-records.ts";
import { type HubTalk, logIn } from "../../src/hub/testing/hub-talk.ts";
import { toHex } from "../../src/sealing/bytes.ts";
import { fingerprintOf } from "../../src/sealing/login.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";
import type { TemporaryHome } from "./home.ts";
import { hubSocket } from "./hub-socket.ts";
import { TestDevice } from "./remote-device.ts";
import { showCode } from "./shown-code.ts";
import { waitUntil } from "./wait-until.ts";

const crypto = webCrypto();
/** As long as it waits for records at one visit. */
const VISIT_MS = 200;

/** A device that comes to its hub for what lies there, and goes: it never has a live session. */
export class ReadingDevice {
  readonly store = new MemoryRecords();
  readonly refused: string[] = [];
  readonly device: TestDevice;

  /** Paired with the machine of `house`, whose person says yes. */
  static async paired(house: TemporaryHome, address: string, name: string): Promise<ReadingDevice> {
    return new ReadingDevice(await pairedDevice(house, address, name));
  }

  constructor(device: TestDevice) {
    this.device = device;
  }

  /** Visits until it has seen what it came for. */
  async fetch(isThere: () => boolean, what: string): Promise<void> {
    await waitUntil(
      async () => {
        await this.#visit(await this.reader());
        return isThere();
      },
      { what },
    );
  }

  async reader(): Promise<RecordReader> {
    const { offer, hubKey, login, signing, exchange } = this.device;
    const hub = toHex(await fingerprintOf(crypto, hubKey));
    const { space, exchangeKey, signingKey } = offer!;
    const about = { name: "", words: "", scopes: ["view"], addedMs: 0 };
    const machine = { ...about, id: toHex(signingKey), exchangeKey, spaces: { [hub]: space } };
    return RecordReader.open({
      hub,
      loginKey: login.publicKey,
      keys: { signing, exchange },
      store: this.store,
      crypto,
      machines: () => [machine],
      took() {},
      events: { onRow() {}, onGap() {}, onRefused: (why) => void this.refused.push(why) },
    });
  }

  async #visit(reader: RecordReader): Promise<void> {
    await this.connected(reader.place, async (talk) => {
      const untilMs = performance.now() + VISIT_MS;
      await waitUntil(() => talk.has("record") || performance.now() > untilMs, { what: "records, or none" });
      while (talk.has("record")) {
        const { place, record } = await talk.next("record");
        await reader.read(place, record);
        talk.send({ kind: "took", place });
      }
    });
  }

  /** Logs in at the hub for as long as `work` lasts. @throws the hub's refusal */
  protected async connected(cursor: number, work: (talk: HubTalk) => Promise<void>): Promise<void> {
    const { address, hubKey, login: key } = this.device;
    const { talk, socket } = await hubSocket(address);
    try {
      const missed = await logIn(talk, { crypto, hubKey, key, role: "device", cursor, isNew: true });
      if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
      await work(talk);
    } finally {
      socket.close();
      await talk.closed;
    }
  }
}

/** A device that the machine of `house` has let in, whose person says yes. `scopes`: default as `warren pair` has it. */
export async function pairedDevice(
  house: TemporaryHome,
  address: string,
  name: string,
  scopes?: string,
): Promise<TestDevice> {
  const { code, pairing } = await showCode(house, address, { scopes });
  const device = await TestDevice.make(name);
  const joining = await device.join(code);
  assert.equal(await joining.verdict, true);
  assert.equal((await pairing.ended).status, 0);
  device.close();
  return device;
}
