import type { Bench, Case } from "../cases/case.ts";
import type { Measured } from "../result.ts";
import { median, percentile } from "../series.ts";
import { type Host, withHosts } from "./hosts.ts";
import { Terminal } from "./terminal.ts";
import { Typist } from "./typist.ts";

const LINE_BYTES = 71;
const NODE_ECHO = `process.stdin.setRawMode(true);process.stdout.write("READY");process.stdin.on("data",d=>process.stdout.write(d.toString().toUpperCase()))`;

/** Lines of 71 bytes as fast as the terminal takes them, when it is told to; then it says how long that took. */
const flooder = (megabytes: number): string => `
const line = "x".repeat(${LINE_BYTES - 1}) + "\\n";
const block = line.repeat(900);
process.stdout.write("READY");
process.stdin.once("data", async () => {
  const start = performance.now();
  for (let left = ${megabytes} * 1e6; left > 0; left -= block.length)
    if (!process.stdout.write(block)) await new Promise((drained) => process.stdout.once("drain", drained));
  process.stdout.write("FLOOD-OVER " + Math.round(performance.now() - start) + "\\n");
});`;

interface Flood {
  subject: string;
  mbPerSecond: number;
  echoesMs: number[];
}

/** One session floods, one client reads it, another session echoes meanwhile; once alone, and once with a second client that hardly reads. */
export const terminalFlood: Case = {
  name: "terminal-flood",
  async run(bench) {
    const fast = await series(bench, "fast", false);
    const slow = await series(bench, "slow", true);
    const rate = (floods: readonly Flood[]): Measured[] => bySubject(floods, ({ mbPerSecond }) => [mbPerSecond]);
    const tmux = (floods: readonly Flood[]): number =>
      median(floods.filter(({ subject }) => subject === "tmux").map(({ mbPerSecond }) => mbPerSecond)) || 0;
    const row = (what: string, floods: readonly Flood[]) => ({
      what,
      unit: "MB/s" as const,
      target: { atLeast: tmux(floods), of: "p50" as const, wording: "≥ tmux" },
      measured: rate(floods),
    });
    const echoes = bySubject(slow, ({ echoesMs }) => echoesMs);
    const worst = echoes
      .map(({ subject, samples }) => `${subject} ${percentile(samples, 99).toFixed(2)} ms`)
      .join(", ");
    return {
      title: "Flood",
      rows: [
        row("one client that reads", fast),
        row("and one beside it that hardly reads", slow),
        { what: "echo of another session meanwhile", unit: "ms", measured: echoes, note: `p99: ${worst}.` },
      ],
    };
  },
};

async function series(bench: Bench, label: string, withSlow: boolean): Promise<Flood[]> {
  const floods: Flood[] = [];
  for (let round = 0; round < (bench.quick ? 1 : 5); round++) {
    await withHosts(bench.stage, `flood-${label}-${round}`, async (hosts) => {
      for (const host of hosts) floods.push(await flood(bench, host, withSlow));
    });
  }
  return floods;
}

async function flood({ stage, quick }: Bench, host: Host, withSlow: boolean): Promise<Flood> {
  const megabytes = quick ? 20 : 100;
  await host.start("flood", [stage.node, "-e", flooder(megabytes)]);
  await host.start("calm", [stage.node, "-e", NODE_ECHO]);
  using reader = new Terminal(host.attach("flood"));
  using slow = withSlow ? new Terminal(host.attach("flood")) : undefined;
  using typist = await Typist.start(host.attach("calm"));
  await reader.shows("READY");
  await slow?.shows("READY");
  slow?.hold(true);
  const dribble = setInterval(() => {
    slow?.hold(false);
    setTimeout(() => slow?.hold(true), 1);
  }, 100);
  typist.begin();
  const startMs = performance.now();
  reader.type("\r");
  await reader.shows("FLOOD-OVER", 120_000);
  const mbPerSecond = megabytes / ((performance.now() - startMs) / 1_000);
  clearInterval(dribble);
  return { subject: host.name, mbPerSecond, echoesMs: await typist.end() };
}

function bySubject(floods: readonly Flood[], take: (flood: Flood) => number[]): Measured[] {
  const subjects = [...new Set(floods.map(({ subject }) => subject))];
  return subjects.map((subject) => ({
    subject,
    samples: floods.filter((one) => one.subject === subject).flatMap(take),
  }));
}
