import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { median, runSeries } from "../series.ts";
import { withMailPeers } from "./peers.ts";

const BODY = "m".repeat(1_024);
const COUNT = 50;
const QUICK_COUNT = 10;
const ROUNDS = { roundCountMin: 10, roundCountMax: 20 };
/** The reader has to be waiting before anything is sent; nothing tells when the other side knows that. */
const WAITING_MS = 2;

/** From the send to a reader that waits on another connection; both ends in this process. */
export const delivery: Case = {
  name: "delivery",
  run: (bench) =>
    withMailPeers(bench, "delivery", async (all) => {
      const peers = all.flatMap((peer) =>
        peer.receive && peer.sendToReader ? [{ name: peer.name, receive: peer.receive, send: peer.sendToReader }] : [],
      );
      const each = new Map<string, number[]>();
      await runSeries(
        peers.map(({ name, receive, send }) => ({
          name,
          async sample(round) {
            const ofRound: number[] = [];
            for (let at = 0; at < (bench.quick ? QUICK_COUNT : COUNT); at++) {
              const came = receive();
              await new Promise((wake) => setTimeout(wake, WAITING_MS));
              const startMs = performance.now();
              const [atMs] = await Promise.all([came, send(BODY)]);
              ofRound.push(atMs - startMs);
            }
            if (round >= 0) each.set(name, [...(each.get(name) ?? []), ...ofRound]);
            return median(ofRound);
          },
        })),
        rounds(bench, ROUNDS),
      );
      return {
        title: "From a send to a reader that waits, 1 KB",
        rows: [{ what: "read after", unit: "ms", measured: measuredOf(each) }],
      };
    }),
};
