import { type Case, measuredOf } from "../cases/case.ts";
import { idleCpu, memoryOf, sleep } from "../processes.ts";
import type { Row } from "../result.ts";
import { fillSpaces } from "./guests.ts";
import { endHub, startHub } from "./hub-process.ts";

/** As many as a hub takes. */
const CONNECTIONS = 4_000;
const QUICK_CONNECTIONS = 320;
/** A machine and its devices. */
const OF_SPACE = 32;
const SETTLE_MS = 10_000;
const HELD_MS = 60_000;
const QUICK_MS = 3_000;

/** Connections on which nothing happens but the pings by which both ends know of each other: each 4 s of silence, both ways. */
export const held: Case = {
  name: "held",
  async run({ stage, quick }) {
    const host = await startHub(stage, { label: "held", isMeasured: true });
    try {
      const count = quick ? QUICK_CONNECTIONS : CONNECTIONS;
      const { pssMB: emptyMB } = await memoryOf([host.pid]);
      const startMs = performance.now();
      const spaces = await fillSpaces(host, { spaceCount: count / OF_SPACE, devicesOfSpace: OF_SPACE - 1 });
      const seconds = (performance.now() - startMs) / 1_000;
      await sleep(quick ? QUICK_MS : SETTLE_MS);
      const [percent = 0] = await idleCpu([[host.pid]], quick ? QUICK_MS : HELD_MS);
      const { pssMB } = await memoryOf([host.pid]);
      const guests = spaces.flatMap(({ machine, devices }) => [machine, ...devices]);
      const lost = guests.filter(({ talk }) => talk.isClosed).length;
      const row = (what: string, unit: Row["unit"], sample: number): Row => ({
        what,
        unit,
        measured: measuredOf(new Map([["warren", [sample]]])),
      });
      return {
        title: `${count} connections to one hub`,
        peers: [],
        rows: [
          row("logins a second, this process's half of them included", "req/s", count / seconds),
          { ...row("of them lost", "", lost), target: { atMost: 0, of: "max" } },
          row("CPU of the hub, of one core", "%", percent),
          row("PSS", "MB", pssMB),
          row("for each", "kB", ((pssMB - emptyMB) * 1_000) / count),
        ],
      };
    } finally {
      await endHub(host);
    }
  },
};
