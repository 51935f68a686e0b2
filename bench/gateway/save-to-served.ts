import { writeFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { type Bench, type Case, rounds } from "../cases/case.ts";
import { sleep } from "../processes.ts";
import type { Row } from "../result.ts";
import { median, percentile, runSeries } from "../series.ts";
import { output } from "../timed.ts";
import { reloaderNames, type Served, type SourceFiles, startReloaders } from "./reloaders.ts";
import { type WarrenSite, warrenSite } from "./warren-proxy.ts";

const P50_MS = 80;
const P99_MS = 200;
const ROUNDS = { roundCountMin: 100, roundCountMax: 150, warmUpCount: 3 };
/** From one save to the next: people are not faster, and what follows a switch has come to its end. */
const PAUSE_MS = 500;
const RETRY_MS = 1;
const DEADLINE_MS = 30_000;

/** The same worker for all: TypeScript, two files of which one is saved. It is started with `PORT`. */
const MAIN = "main.ts";
const SAVED = "greeting.ts";
const mainText = `import { createServer } from "node:http";
import { greeting } from "./greeting.ts";
createServer((_request, response) => response.end(greeting)).listen(process.env.PORT, "127.0.0.1");
`;
const savedText = (greeting: string): string => `export const greeting: string = ${JSON.stringify(greeting)};\n`;

const sourceFiles = (): SourceFiles => ({
  main: MAIN,
  texts: { [MAIN]: mainText, [SAVED]: savedText("before") },
});

/** From the close(2) that saves a file to the last byte of the first answer by the new code, to a client that asks again and again. */
export const saveToServed: Case = {
  name: "save",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const site = await devSite(bench, "save", "dev");
    ending.defer(() => site.peer.down());
    const ours = servedBy(site);
    const others = await startReloaders(bench.stage, sourceFiles(), ending);
    const all = [ours, ...others];
    for (const served of all) await answerOf(served.port, "before");
    const failures = new Map<string, number>();
    const waterfalls: Waterfall[] = [];
    const times = await runSeries(
      all.map((served) => ({
        name: served.name,
        sample: async (round) => {
          const { elapsedMs, failureCount } = await save(served, `${served.name} ${round}`);
          if (round >= 0) failures.set(served.name, (failures.get(served.name) ?? 0) + failureCount);
          await sleep(PAUSE_MS);
          if (round >= 0 && served === ours) waterfalls.push(await waterfall(site));
          return elapsedMs;
        },
      })),
      rounds(bench, ROUNDS),
    );
    const measured = [...times].map(([subject, samples]) => ({ subject, samples }));
    const rows: Row[] = [
      { what: "save → served, median", unit: "ms", target: { atMost: P50_MS, of: "p50" }, measured },
      {
        what: "the same, 99 of 100",
        unit: "ms",
        target: { atMost: P99_MS, of: "p99" },
        measured,
        note: `p99 ${[...times].map(([name, ms]) => `${name} ${percentile(ms, 99).toFixed(0)}`).join(", ")} ms; Warren's medians by its own account: ${textOf(waterfalls)}.`,
      },
      {
        what: "requests refused or cut off, a save",
        unit: "",
        target: { atMost: 0, of: "max" },
        measured: [...failures].map(([subject, count]) => ({
          subject,
          samples: [count / (times.get(subject)?.length ?? 1)],
        })),
      },
    ];
    return { title: "Save → served: a TypeScript worker of two files", rows, peers: reloaderNames };
  },
};

/** In production: a save, then SIGHUP to the server. */
export const hangup: Case = {
  name: "hangup",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const site = await devSite(bench, "hangup", "prod");
    ending.defer(() => site.peer.down());
    const [, serverPid = 0] = await site.peer.daemonPids();
    const ours: Served = { ...servedBy(site), tell: () => process.kill(serverPid, "SIGHUP") };
    await answerOf(ours.port, "before");
    const times = await runSeries(
      [
        {
          name: ours.name,
          sample: async (round) => {
            const { elapsedMs } = await save(ours, `hangup ${round}`);
            await sleep(PAUSE_MS);
            return elapsedMs;
          },
        },
      ],
      rounds(bench, { roundCountMin: 30, roundCountMax: 40, warmUpCount: 1 }),
    );
    const measured = [...times].map(([subject, samples]) => ({ subject, samples }));
    return {
      title: "Production: SIGHUP → served, the worker built from source",
      rows: [{ what: "SIGHUP → served", unit: "ms", measured }],
      peers: [],
    };
  },
};

const devSite = ({ stage }: Bench, label: string, mode: "dev" | "prod"): Promise<WarrenSite> =>
  warrenSite(stage, `gateway-${label}`, {
    "warren.yaml": `gateway: { mode: ${mode} }\n`,
    ...Object.fromEntries(
      Object.entries(sourceFiles().texts).map(([name, text]) => [`workers/index/src/${name}`, text]),
    ),
  });

const servedBy = ({ peer, port }: WarrenSite): Served => ({
  name: "warren",
  sourceDir: join(peer.project, "workers/index/src"),
  port,
});

async function save(
  { sourceDir, port, tell }: Served,
  greeting: string,
): Promise<{ elapsedMs: number; failureCount: number }> {
  await writeFile(join(sourceDir, SAVED), savedText(greeting)); // in place: `node --watch` loses sight of a file that another is renamed to
  const startMs = performance.now();
  tell?.();
  const failureCount = await answerOf(port, greeting);
  return { elapsedMs: performance.now() - startMs, failureCount };
}

/** Asks until the answer is this; answers how many requests had none. @throws when it does not come */
async function answerOf(port: number, wanted: string): Promise<number> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (let failureCount = 0; ; ) {
    const answer = await get(port).catch(() => undefined);
    if (answer === wanted) return failureCount;
    if (answer === undefined) failureCount++;
    if (performance.now() > deadlineMs) throw new Error(`port ${port} answers "${answer}" and not "${wanted}"`);
    await sleep(RETRY_MS);
  }
}

function get(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: "127.0.0.1", port, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (text += piece));
      answer.on("error", reject);
      answer.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}

interface Waterfall {
  detected_ms: number;
  built_ms: number;
  ready_ms: number;
  switched_ms: number;
}

async function waterfall(site: WarrenSite): Promise<Waterfall> {
  const [gateway] = JSON.parse(await output(site.command("gateway", "status", "--json")));
  return gateway.last_save;
}

function textOf(waterfalls: readonly Waterfall[]): string {
  const names = ["detected_ms", "built_ms", "ready_ms", "switched_ms"] as const;
  return names
    .map((name) => `${name.slice(0, -3)} after ${median(waterfalls.map((one) => one[name])).toFixed(0)} ms`)
    .join(", ");
}
