import type { HubEntry, MachineEntry } from "../../src/client/remote/world.ts";
import { toHex, utf8 } from "../../src/sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../../src/sealing/chain.ts";
import type { ExchangeKey, SigningKey } from "../../src/sealing/crypto.ts";
import { namesKey, newPeriodKey, PERIOD_STREAM, sealPeriod, streamId } from "../../src/sealing/period.ts";
import { RECORD_KINDS, type RecordHead, recordHash, sealRecord } from "../../src/sealing/record.ts";
import type { BenchHome } from "./device.ts";
import { crypto, enter, type Guest } from "./guests.ts";
import type { HubHost } from "./hub-process.ts";

/** A machine that has let one device in at one hub, and leaves sealed records for it: what a device finds that was away. */
export class Teller {
  readonly machine: MachineEntry;
  readonly hub: HubEntry;
  readonly guest: Guest;
  readonly #signer: SigningKey;
  readonly #period: { number: number; key: Uint8Array; names: Uint8Array };
  readonly #links = new Map<string, Link>();
  #requests = 0;

  /** Lets the device in, which knows hub and machine from now on. */
  static async join(host: HubHost, home: BenchHome, name: string): Promise<Teller> {
    const { exchange } = home.keys;
    const [signer, login, space] = (await Promise.all(Array.from({ length: 3 }, () => crypto.newSigningKey()))) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const guest = await enter(host, "machine", space);
    await guest.talk.answer({ kind: "admit", request: 0, loginKey: login.publicKey });
    const key = newPeriodKey(crypto);
    const period = { number: Math.floor(Date.now() / 1_000), key, names: await namesKey(crypto, key) };
    const teller = new Teller({ host, guest, signer, login, name, period, exchange: await crypto.newExchangeKey() });
    const context = { hub: Buffer.from(host.fingerprint, "hex"), space: space.publicKey, period: period.number };
    const readers = [{ loginKey: login.publicKey, exchangeKey: exchange.publicKey }];
    const text = await sealPeriod(crypto, { context, key, readers });
    const at = { seq: period.number, prev: NO_LINK.hash };
    await teller.put(await teller.#seal({ kind: RECORD_KINDS.period, stream: PERIOD_STREAM, ...at }, text));
    await home.join(teller.hub, teller.machine);
    return teller;
  }

  private constructor(parts: {
    host: HubHost;
    guest: Guest;
    signer: SigningKey;
    login: SigningKey;
    name: string;
    period: { number: number; key: Uint8Array; names: Uint8Array };
    exchange: ExchangeKey;
  }) {
    const { host, guest, signer, login, name, period, exchange } = parts;
    this.guest = guest;
    this.#signer = signer;
    this.#period = period;
    const { fingerprint, key, address } = host;
    this.hub = { fingerprint, key, addresses: [address], label: name, login, addedMs: 0 };
    this.machine = {
      id: toHex(signer.publicKey),
      exchangeKey: exchange.publicKey,
      name,
      words: name,
      scopes: ["view"],
      spaces: { [fingerprint]: guest.key.publicKey },
      addedMs: 0,
    };
  }

  /** The next item of a stream, sealed and not yet given to the hub. */
  async item(stream: string, text: string): Promise<Uint8Array> {
    const known = this.#links.get(stream) ?? NO_LINK;
    const id = await streamId(crypto, this.#period.names, stream);
    const { seq, prev } = nextIn(known);
    const bytes = await this.#seal({ kind: RECORD_KINDS.item, stream: id, seq, prev }, utf8(text));
    this.#links.set(stream, { seq, hash: await recordHash(crypto, { bytes }) });
    return bytes;
  }

  /** Resolves when the hub has it on its disk. */
  async put(record: Uint8Array): Promise<void> {
    const answer = await this.guest.talk.answer({ kind: "put", request: ++this.#requests, record });
    if (answer !== "done") throw new Error(answer.sentence);
  }

  async #seal(at: Pick<RecordHead, "kind" | "stream" | "seq" | "prev">, text: Uint8Array): Promise<Uint8Array> {
    const space = this.guest.key.publicKey;
    const head = { ...at, space, sender: space, period: this.#period.number, atMs: Date.now() };
    const keys = { hub: Buffer.from(this.hub.fingerprint, "hex"), periodKey: this.#period.key };
    return (await sealRecord(crypto, { head, text, keys, signer: this.#signer })).bytes;
  }
}
