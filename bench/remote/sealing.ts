import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import { NO_LINK } from "../../src/sealing/chain.ts";
import type { SealingCrypto } from "../../src/sealing/crypto.ts";
import { isLoginSigned, makeLogin } from "../../src/sealing/login.ts";
import { takeRecord } from "../../src/sealing/take.ts";
import { handshakePair, shakeHands, sidesOf } from "../../src/sealing/testing/noise-pair.ts";
import { newSpace, readingOf, write } from "../../src/sealing/testing/space.ts";
import { standInCrypto } from "../../src/sealing/testing/stand-in.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";
import { type Case, measuredOf, rounds } from "../cases/case.ts";
import type { Row, Unit } from "../result.ts";
import { runSeries } from "../series.ts";

const TEXT = "r".repeat(400);
const COUNT = 500;
const QUICK_COUNT = 50;
const IN_FLIGHT = 16;
const MICROSECONDS = 1_000;
const ROUNDS = { roundCountMin: 10, roundCountMax: 20 };
/** The same formats as pages have them, in threads of their own; and on the simulator's cipher: what its schedules cost besides. */
const PEERS = ["WebCrypto", "stand-in"];

/** What the byte formats cost: records, logins, handshakes and live frames. One process, one core but for WebCrypto's own threads. */
export const sealing: Case = {
  name: "sealing",
  async run(bench) {
    const count = bench.quick ? QUICK_COUNT : COUNT;
    const subjects = [
      { name: "warren", works: await worksOf(nodeCrypto()) },
      { name: "WebCrypto", works: await worksOf(webCrypto()) },
      { name: "stand-in", works: await worksOf(standInCrypto(1)) },
    ];
    const rows: Row[] = [];
    for (const [at, { what, unit }] of subjects[0]!.works.entries()) {
      const samples = await runSeries(
        subjects.map(({ name, works }) => ({ name, sample: () => sample(works[at]!, count) })),
        rounds(bench, ROUNDS),
      );
      rows.push({ what, unit, measured: measuredOf(samples) });
    }
    return { title: "Sealing", rows, peers: PEERS };
  },
};

interface Work {
  what: string;
  /** `msg/s`: so many at once; `µs`: one after the other. */
  unit: Extract<Unit, "msg/s" | "µs">;
  run(): Promise<unknown>;
}

async function worksOf(crypto: SealingCrypto): Promise<Work[]> {
  const space = await newSpace(crypto);
  const { record } = await write(crypto, space, { text: TEXT });
  const reading = readingOf(space, NO_LINK);
  const { initiator, responder } = await shakeHands(await handshakePair(crypto, await sidesOf(crypto, "IK")));
  const key = await crypto.newSigningKey();
  const hubKey = (await crypto.newSigningKey()).publicKey;
  const live = (bytes: number) => {
    const text = new Uint8Array(bytes).fill(7);
    return async () => responder.open(await initiator.seal(text));
  };
  return [
    { what: "records of 400 B sealed and signed", unit: "msg/s", run: () => write(crypto, space, { text: TEXT }) },
    {
      what: "records of 400 B checked and opened",
      unit: "msg/s",
      run: () => takeRecord(crypto, reading, record.bytes),
    },
    { what: "a record sealed", unit: "µs", run: () => write(crypto, space, { text: TEXT }) },
    { what: "a record opened", unit: "µs", run: () => takeRecord(crypto, reading, record.bytes) },
    {
      what: "logins made and checked",
      unit: "msg/s",
      async run() {
        const wanted = { hubKey, hubNonce: crypto.random(16), key, role: "device" as const, cursor: 1 };
        const { login, facts } = await makeLogin(crypto, wanted);
        await isLoginSigned(crypto, login, facts);
      },
    },
    ...(["IK", "XKpsk3"] as const).map((pattern) => ({
      what: `handshakes ${pattern}, both ends`,
      unit: "msg/s" as const,
      run: async () => shakeHands(await handshakePair(crypto, await sidesOf(crypto, pattern))),
    })),
    { what: "a live frame of 64 B, sealed and opened", unit: "µs", run: live(64) },
    { what: "a live frame of 16 KiB, sealed and opened", unit: "µs", run: live(16 * 1024) },
  ];
}

/** In the work's own unit. */
async function sample({ unit, run }: Work, count: number): Promise<number> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: unit === "µs" ? 1 : IN_FLIGHT }, lane));
  const elapsedMs = performance.now() - startMs;
  return unit === "µs" ? (elapsedMs * MICROSECONDS) / count : (count * 1_000) / elapsedMs;
}
