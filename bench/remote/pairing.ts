import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { type Homes, joinByCommand, joinHere, openHomes, showCode } from "./paired-homes.ts";

const PAIR_MS = 2_000;
const ROUNDS = { roundCountMin: 15, roundCountMax: 15, warmUpCount: 2 };

/** From the code on the machine's screen until both ends have said that the device is in. Nobody is asked (`--yes`), and no camera is waited for. */
export const pairing: Case = {
  name: "pairing",
  async run(bench) {
    await using homes = await openHomes(bench.stage, "pairing");
    const byCommand: number[] = [];
    const here: number[] = [];
    const { roundCountMin, warmUpCount = 0 } = rounds(bench, ROUNDS);
    for (let round = -warmUpCount; round < roundCountMin; round++) {
      const command = await paired(homes, (code) => joinByCommand(homes, code));
      const library = await paired(homes, (code) => joinHere(homes, code));
      if (round < 0) continue;
      byCommand.push(command);
      here.push(library);
    }
    const target = { atMost: PAIR_MS, of: "p90" } as const;
    const row = (what: string, samples: number[]) => ({
      what,
      unit: "ms" as const,
      target,
      measured: measuredOf(new Map([["warren", samples]])),
    });
    return {
      title: "Pairing: the code is shown → joined at both ends",
      peers: [],
      rows: [
        row("by an app that runs: the library in the benchmark's process", here),
        row("by `warren pair CODE`, its start included", byCommand),
      ],
    };
  },
};

async function paired(homes: Homes, join: (code: string) => Promise<unknown>): Promise<number> {
  const { code, joined } = await showCode(homes);
  const startMs = performance.now();
  const own = join(code).then(() => performance.now());
  const [{ atMs }, ownMs] = await Promise.all([joined, own]);
  return Math.max(atMs, ownMs) - startMs;
}
