import { type Bench, type Case, rounds } from "../cases/case.ts";
import type { Measured, Row, Section } from "../result.ts";
import { median, runSeries } from "../series.ts";
import { KB64_PATH, MB1_PATH, SMALL_PATH } from "./backend.ts";
import { type Load, type LoadResult, runLoad } from "./load.ts";
import { npmProxies } from "./npm-proxies.ts";
import { withProxies } from "./proxies.ts";
import { FILE_PATH, type RunningProxy } from "./proxy.ts";

/** As many requests as one core carries, 64 connections that are kept, each asking as soon as it has its answer. */
const SATURATED = { connectionCount: 64 };
const RUN_S = 3;
const ROUNDS = { roundCountMin: 5, roundCountMax: 7, warmUpCount: 1 };

/** What browsers send besides. */
const BROWSER_HEADERS: Readonly<Record<string, string>> = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en-GB,en;q=0.5",
  "Cache-Control": "no-cache",
  Cookie: "session=0123456789abcdef0123456789abcdef; theme=dark",
  "Upgrade-Insecure-Requests": "1",
};

/** Shares of DESIGN's budgets. */
const OF_NGINX = 0.6;
const OF_BEST_NPM = 2;
const OF_CADDY = 3;

interface LoadCase {
  name: string;
  title: string;
  load: Load;
  isCandidate?: (proxy: RunningProxy) => boolean;
  isBudgeted?: boolean;
}

const CASES: readonly LoadCase[] = [
  { name: "small", title: "Small answers (13 bytes)", load: { ...SATURATED, path: SMALL_PATH }, isBudgeted: true },
  {
    name: "browser",
    title: "The same with a browser's head",
    load: { ...SATURATED, path: SMALL_PATH, headers: BROWSER_HEADERS },
    isBudgeted: true,
  },
  { name: "64k", title: "Answers of 64 KiB", load: { ...SATURATED, path: KB64_PATH } },
  { name: "1m", title: "Answers of 1 MiB", load: { ...SATURATED, path: MB1_PATH } },
  {
    name: "post",
    title: "POST of 16 KiB, small answer",
    load: { ...SATURATED, path: SMALL_PATH, postedBytes: 16 * 1024 },
  },
  {
    name: "file",
    title: "A static file of 4 KiB, served by the proxy itself",
    load: { ...SATURATED, path: FILE_PATH },
    isCandidate: ({ hasFiles }) => hasFiles,
  },
];

export const loadCases: readonly Case[] = CASES.map((one) => ({ name: one.name, run: (bench) => measure(bench, one) }));

function measure(
  bench: Bench,
  { name, title, load, isCandidate = () => true, isBudgeted }: LoadCase,
): Promise<Section> {
  return withProxies(bench, { label: name, isWithFile: load.path === FILE_PATH }, async (proxies, backend) => {
    const candidates = proxies.filter(isCandidate).map(({ name: subject, port }) => ({ subject, port }));
    if (load.path !== FILE_PATH) candidates.push({ subject: DIRECT, port: backend.port });
    const results = new Map<string, LoadResult[]>(candidates.map(({ subject }) => [subject, []]));
    await runSeries(
      candidates.map(({ subject, port }) => ({
        name: subject,
        sample: async (round) => {
          const result = await runLoad(bench.stage, port, load, bench.quick || round < 0 ? 1 : RUN_S);
          if (round >= 0) results.get(subject)!.push(result);
          return result.requestsPerS;
        },
      })),
      rounds(bench, ROUNDS),
    );
    return { title: `${title}: one core, 64 connections`, rows: rowsOf(results, isBudgeted === true) };
  });
}

/** Not a column: how fast whoever asks and whoever answers are by themselves. */
const DIRECT = "direct";

function rowsOf(results: ReadonlyMap<string, readonly LoadResult[]>, isBudgeted: boolean): Row[] {
  const measured = (take: (one: LoadResult) => number): Measured[] =>
    [...results].map(([subject, samples]) => ({ subject, samples: samples.map(take) }));
  const rates = measured(({ requestsPerS }) => requestsPerS);
  const direct = medianOf(rates, DIRECT);
  const note = Number.isNaN(direct) ? "" : `without a proxy ${direct.toFixed(0)} req/s.`;
  const rate: Row = { what: "requests", unit: "req/s", measured: rates, note };
  const budgets = isBudgeted ? budgetsOf(rates) : [];
  return [
    ...(budgets.length === 0
      ? [rate]
      : budgets.map((target, at) => ({ ...rate, ...(at === 0 ? {} : { what: "the same", note: "" }), target }))),
    { what: "answered after, median", unit: "ms", measured: measured(({ p50Ms }) => p50Ms) },
    { what: "99 of 100", unit: "ms", measured: measured(({ p99Ms }) => p99Ms) },
    { what: "999 of 1,000", unit: "ms", measured: measured(({ p999Ms }) => p999Ms) },
  ];
}

function budgetsOf(rates: readonly Measured[]): NonNullable<Row["target"]>[] {
  const npm = Math.max(...npmProxies.map(({ name }) => medianOf(rates, name)).filter((rate) => !Number.isNaN(rate)));
  const bounds: [number, string][] = [
    [OF_NGINX * medianOf(rates, "nginx"), "≥ 60 % of nginx"],
    [OF_BEST_NPM * npm, `≥ ${OF_BEST_NPM} × the best npm proxy`],
    [OF_CADDY * medianOf(rates, "caddy"), `≥ ${OF_CADDY} × Caddy`],
  ];
  return bounds
    .filter(([atLeast]) => Number.isFinite(atLeast))
    .map(([atLeast, wording]) => ({ atLeast, of: "p50" as const, wording }));
}

const medianOf = (measured: readonly Measured[], name: string): number =>
  median(measured.find(({ subject }) => subject === name)?.samples ?? []);
