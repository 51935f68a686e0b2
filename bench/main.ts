import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, Case } from "./cases/case.ts";
import { coldStart } from "./cases/cold-start.ts";
import { commandLine } from "./cases/command-line.ts";
import { exitNotice } from "./cases/exit-notice.ts";
import { flood } from "./cases/flood.ts";
import { footprint } from "./cases/footprint.ts";
import { fullStore } from "./cases/full-store.ts";
import { hundredJobs } from "./cases/hundred-jobs.ts";
import { machineFacts, quietMachine } from "./machine.ts";
import { makePeers } from "./peers/all.ts";
import { report, writeBetweenMarkers } from "./report.ts";
import type { Section } from "./result.ts";
import { attach } from "./sessions/attach.ts";
import { echo } from "./sessions/echo.ts";
import { idleSessions } from "./sessions/idle-sessions.ts";
import { manySessions } from "./sessions/many-sessions.ts";
import { reloadPause } from "./sessions/reload-pause.ts";
import { terminalFlood } from "./sessions/terminal-flood.ts";
import { root, setStage } from "./stage.ts";

/** `npm run bench -- jobs [--quick] [--only CASE,…]`: measures, prints, and (a whole, full run) writes the figures into docs/benchmarks.md. */
const PARTS: Record<string, { cases: readonly Case[]; peers: readonly string[] }> = {
  jobs: {
    cases: [commandLine, coldStart, hundredJobs, fullStore, exitNotice, footprint, flood],
    peers: ["pm2", "supervisor"],
  },
  sessions: { cases: [attach, echo, terminalFlood, idleSessions, manySessions, reloadPause], peers: ["tmux"] },
};
const DOCUMENT = join(root, "docs", "benchmarks.md");
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
    allowPositionals: true,
  });
  const part = positionals[0] ?? "jobs";
  const all = PARTS[part];
  const wanted = values.only?.split(",");
  const cases = all?.cases.filter(({ name }) => wanted?.includes(name) ?? true) ?? [];
  if (!all || cases.length === 0) {
    const names = Object.values(PARTS).flatMap((one) => one.cases.map(({ name }) => name));
    console.error(`usage: npm run bench -- ${Object.keys(PARTS).join("|")} [--quick] [--only ${names.join(",")}]`);
    process.exit(EXIT_USAGE);
  }
  const text = await measure(cases, all.peers, values.quick);
  console.log(text);
  if (!values.quick && cases.length === all.cases.length) await writeBetweenMarkers(DOCUMENT, part, text);
}

async function measure(cases: readonly Case[], peers: readonly string[], quick: boolean): Promise<string> {
  const stage = await setStage();
  process.on("exit", () => stage.strike());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(EXIT_INTERRUPTED));
  const bench: Bench = { stage, quick, say: (line) => console.error(line) };
  const facts = await machineFacts((await makePeers(stage, "facts")).all);
  const sections: Section[] = [];
  const loads: string[] = [];
  for (const one of cases) {
    const percent = (await quietMachine(!quick)).toFixed(0);
    loads.push(`${one.name} ${percent} %`);
    bench.say(`${one.name} (others use ${percent} % of the processors) …`);
    const startMs = performance.now();
    const section = await one.run(bench);
    sections.push(section);
    bench.say(report([], [section], peers));
    bench.say(`${one.name}: ${((performance.now() - startMs) / 1_000).toFixed(0)} s`);
  }
  const load = `what others used of the processors before each case: ${loads.join(", ")}`;
  return report([...facts, load], sections, peers);
}

await main();
