import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { openFrom, sealTo } from "../src/sealing/hpke.ts";
import { decodeMembers, encodeMembers } from "../src/sealing/members.ts";
import { Handshake } from "../src/sealing/noise/handshake.ts";
import { decodePairingCode, encodePairingCode } from "../src/sealing/pairing-code.ts";
import { decodeRecord, openRecord, type RecordKind, recordHash, sealRecord } from "../src/sealing/record.ts";
import { SCOPES } from "../src/sealing/scopes.ts";
import { flipBit } from "../src/sealing/testing/checks.ts";
import { bytesOf, hexOf, withEphemerals } from "../src/sealing/testing/fixed.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";

/** The byte formats against a second implementation in Python 3 (test/python/sealing.py), which was written from docs/remote-design.md. */

const SCRIPT = new URL("python/sealing.py", import.meta.url).pathname;
const hasLibrary = spawnSync("python3", ["-c", "import cryptography"]).status === 0;
const skip = hasLibrary ? false : "python3-cryptography is not installed";
const RECORD_COUNT = process.env.WARREN_PROOF === "1" ? 10_000 : 1_000;

const crypto = webCrypto();
let python: Python | undefined;

class Python {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: ((answer: Record<string, unknown>) => void)[] = [];
  #said = "";

  constructor() {
    this.#process = spawn("python3", [SCRIPT]);
    this.#process.stderr.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
    this.#process.on("exit", () => {
      for (const answer of this.#waiting.splice(0)) answer({ error: `python3 has ended: ${this.#said}` });
    });
  }

  ask(op: string, values: Record<string, unknown>): Promise<Record<string, unknown>> {
    const plain = Object.entries(values).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? hexOf(value) : value,
    ]);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin.write(`${JSON.stringify({ op, ...Object.fromEntries(plain) })}\n`);
    });
  }

  async end(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.stdin.end();
    await ended;
  }
}

const ask: Python["ask"] = (op, values) => python!.ask(op, values);

before(() => {
  if (hasLibrary) python = new Python();
});
after(async () => {
  await python?.end();
});

const n = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const heads = fc.record({
  kind: fc.integer({ min: 1, max: 7 }) as fc.Arbitrary<RecordKind>,
  space: n(32),
  stream: n(8),
  sender: n(32),
  period: fc.nat({ max: 0xffffffff }),
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  prev: n(32),
  atMs: fc.maxSafeNat(),
});
const texts = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.nat({ max: 65_306 }).map((length) => new Uint8Array(length).fill(7)),
);

test(
  "python: opens our records and we open its own, byte for byte, and both refuse what is spoilt",
  { skip },
  async () => {
    const secret = crypto.random(32);
    const signer = await crypto.signingKeyOf(secret);
    const samples = fc.sample(fc.record({ head: heads, text: texts, hub: n(16), periodKey: n(32) }), {
      numRuns: RECORD_COUNT,
      seed: 21,
    });
    for (const [index, { head, text, hub, periodKey }] of samples.entries()) {
      const keys = { hub, periodKey };
      const record = await sealRecord(crypto, { head, text, keys, signer });
      const { atMs, ...rest } = head;
      const plain = Object.fromEntries(
        Object.entries(rest).map(([name, value]) => [name, value instanceof Uint8Array ? hexOf(value) : value]),
      );
      const theirs = await ask("seal_record", {
        ...head,
        at_ms: atMs,
        hub,
        salt: record.salt,
        text,
        period_key: periodKey,
        signer: secret,
      });
      assert.equal(theirs.record, hexOf(record.bytes), `record ${index}`);
      const context = { hub, period_key: periodKey, signer_public: signer.publicKey };
      const opened = await ask("open_record", { ...context, record: record.bytes });
      assert.deepEqual(opened, {
        ...plain,
        at_ms: atMs,
        text: hexOf(text),
        hash: hexOf(await recordHash(crypto, record)),
      });
      const ours = decodeRecord(bytesOf(String(theirs.record)));
      assert.deepEqual(await openRecord(crypto, { record: ours, keys, signerKey: signer.publicKey }), text);
      const spoilt = flipBit(record.bytes, (index * 37) % (record.bytes.length * 8));
      assert.equal(typeof (await ask("open_record", { ...context, record: spoilt })).error, "string");
      await assert.rejects(
        (async () => openRecord(crypto, { record: decodeRecord(spoilt), keys, signerKey: signer.publicKey }))(),
      );
    }
  },
);

test("python: reads our pairing codes and writes the same", { skip }, async () => {
  const codes = fc.record({
    hub: n(16),
    pairingKey: n(32),
    secret: n(16),
    expires: fc.integer({ min: 1_000_001, max: 1_000_120 }),
    scopes: fc.subarray([...SCOPES].slice(1)).map((more) => ["view" as const, ...more]),
    address: fc.constantFrom(
      "https://home.example",
      "http://192.168.1.7:7117",
      "https://hub.example/warren",
      "https://x.ts.net",
    ),
  });
  for (const sample of fc.sample(codes, { numRuns: RECORD_COUNT / 5, seed: 22 })) {
    const code = structuredClone(sample);
    const { warren, link, qr } = encodePairingCode(code);
    const { pairingKey, ...rest } = code;
    const { bare } = await ask("encode_code", { ...rest, pairing_key: pairingKey });
    assert.deepEqual(
      [warren, link, qr],
      [`warren://pair?${bare}`, `${code.address}/#p=${bare}`, `WARREN://PAIR/${bare}`],
    );
    const read = await ask("decode_code", { bare });
    assert.deepEqual(read, {
      ...rest,
      hub: hexOf(code.hub),
      secret: hexOf(code.secret),
      pairing_key: hexOf(pairingKey),
    });
    for (const text of [warren, link, qr, `${bare}`])
      assert.deepEqual(decodePairingCode(text, { nowSeconds: 1_000_000 }), code);
  }
});

for (const pattern of ["IK", "XKpsk3"] as const)
  test(`python: Noise ${pattern} with the same keys says the same, in every message`, { skip }, async () => {
    const psk = pattern === "XKpsk3" ? { psk: crypto.random(32) } : {};
    for (let round = 0; round < 50; round++) {
      const secrets = {
        i_static: crypto.random(32),
        i_ephemeral: crypto.random(32),
        r_static: crypto.random(32),
        r_ephemeral: crypto.random(32),
      };
      const prologue = crypto.random(round * 3);
      const payloads = [crypto.random(round), crypto.random(2 * round), crypto.random(1)];
      const expected = await ask("handshake", { pattern, ...secrets, ...psk, prologue, payloads: payloads.map(hexOf) });
      const own = await crypto.exchangeKeyOf(secrets.i_static);
      const theirs = await crypto.exchangeKeyOf(secrets.r_static);
      const common = { pattern, prologue, ...psk };
      const initiator = await Handshake.start(withEphemerals(crypto, secrets.i_ephemeral), {
        ...common,
        isInitiator: true,
        own,
        theirs: theirs.publicKey,
      });
      const responder = await Handshake.start(withEphemerals(crypto, secrets.r_ephemeral), {
        ...common,
        isInitiator: false,
        own: theirs,
      });
      const messages: string[] = [];
      for (let index = 0; !initiator.isOver; index++) {
        const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
        const message = await from.write(payloads[index]!);
        assert.deepEqual(await to.read(message), payloads[index]);
        messages.push(hexOf(message));
      }
      const [a, b] = [await initiator.transport(), await responder.transport()];
      const first = Buffer.from("first");
      const sealed = [hexOf(await a.seal(first)), hexOf(await b.seal(first))];
      assert.deepEqual({ messages, hash: hexOf(a.handshakeHash), sealed }, expected);
    }
  });

test("python: reads the machine's list of devices as we write it", { skip }, async () => {
  const lists = fc.array(
    fc.record({
      loginKey: n(32),
      signingKey: n(32),
      scopes: fc.subarray([...SCOPES.slice(1)]).map((more) => [SCOPES[0], ...more]),
      name: fc.string({ unit: "grapheme", maxLength: 8 }),
      platform: fc.string({ maxLength: 20 }),
    }),
    { maxLength: 32 },
  );
  for (const members of fc.sample(lists, { numRuns: 50, seed: 22 })) {
    const bytes = encodeMembers(members);
    assert.deepEqual(
      decodeMembers(bytes).map((member) => ({ ...member })),
      members.map((member) => ({ ...member })),
    );
    const { members: theirs } = await ask("decode_members", { members: bytes });
    const expected = members.map(({ loginKey, signingKey, scopes, name, platform }) => ({
      login: hexOf(loginKey),
      signing: hexOf(signingKey),
      scopes: scopes.reduce((sum, scope) => sum | (1 << SCOPES.indexOf(scope)), 0),
      name,
      platform,
    }));
    assert.deepEqual(theirs, expected);
    assert.equal(typeof (await ask("decode_members", { members: new Uint8Array([...bytes, 0]) })).error, "string");
  }
});

test("python: HPKE agrees both ways, and with the library's own where it has one", { skip }, async (t) => {
  let isThere = false;
  for (let round = 0; round < 50; round++) {
    const [secret, ephemeral] = [crypto.random(32), crypto.random(32)];
    const own = await crypto.exchangeKeyOf(secret);
    const [text, info] = [crypto.random(round + 1), crypto.random(3 * round)];
    const sealed = await sealTo(withEphemerals(crypto, ephemeral), own.publicKey, { text, info });
    assert.equal((await ask("hpke_seal", { ephemeral, to: own.publicKey, text, info })).sealed, hexOf(sealed));
    assert.equal((await ask("hpke_open", { own: secret, sealed, info })).text, hexOf(text));
    const library = await ask("library_hpke", { own: secret, sealed, info });
    if (library.missing === true) continue;
    isThere = true;
    assert.equal(library.text, hexOf(text));
    assert.deepEqual(await openFrom(crypto, own, { sealed: bytesOf(String(library.sealed)), info }), text);
  }
  t.diagnostic(isThere ? "the library's own HPKE agrees" : "this library has no HPKE");
});
