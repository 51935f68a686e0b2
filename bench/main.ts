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
import { halfLoad } from "./gateway/half-load.ts";
import { idleConnections } from "./gateway/idle-connections.ts";
import { proxyNames, proxyVersions } from "./gateway/proxies.ts";
import { loadCases } from "./gateway/requests.ts";
import { hangup, saveToServed } from "./gateway/save-to-served.ts";
import { slowDownload } from "./gateway/slow-download.ts";
import { webSocketEcho } from "./gateway/websocket-echo.ts";
import { machineFacts, quietMachine } from "./machine.ts";
import { delivery } from "./mailbox/delivery.ts";
import { failover } from "./mailbox/failover.ts";
import { fullLog } from "./mailbox/full-log.ts";
import { hook } from "./mailbox/hook.ts";
import { mailFootprint } from "./mailbox/mail-footprint.ts";
import { mailPeerNames, mailVersions } from "./mailbox/peers.ts";
import { sends } from "./mailbox/sends.ts";
import { makePeers } from "./peers/all.ts";
import { app } from "./remote/app.ts";
import { cutOff } from "./remote/cut-off.ts";
import { held } from "./remote/held.ts";
import { hub } from "./remote/hub.ts";
import { isolation } from "./remote/isolation.ts";
import { keystroke } from "./remote/keystroke.ts";
import { pairing } from "./remote/pairing.ts";
import { reconnect } from "./remote/reconnect.ts";
import { sealing } from "./remote/sealing.ts";
import { simulation } from "./remote/simulation.ts";
import { stream } from "./remote/stream.ts";
import { report, writeBetweenMarkers } from "./report.ts";
import type { Section } from "./result.ts";
import { attach } from "./sessions/attach.ts";
import { echo } from "./sessions/echo.ts";
import { idleSessions } from "./sessions/idle-sessions.ts";
import { manySessions } from "./sessions/many-sessions.ts";
import { reloadPause } from "./sessions/reload-pause.ts";
import { terminalFlood } from "./sessions/terminal-flood.ts";
import { root, setStage } from "./stage.ts";

/** `npm run bench -- jobs|sessions|gateway|mailbox|remote [--quick|--full] [--only CASE,…]`: measures, prints, and (a whole, full run) writes the figures into docs/benchmarks.md. */
interface Part {
  cases: readonly Case[];
  /** The columns beside Warren's. */
  peers: readonly string[];
  /** `pm2 7.0.4` of each tool that is there; default: those of jobs. */
  versions?: (bench: Bench) => Promise<string[]>;
}

const PARTS: Record<string, Part> = {
  jobs: {
    cases: [commandLine, coldStart, hundredJobs, fullStore, exitNotice, footprint, flood],
    peers: ["pm2", "supervisor"],
  },
  sessions: { cases: [attach, echo, terminalFlood, idleSessions, manySessions, reloadPause], peers: ["tmux"] },
  gateway: {
    cases: [...loadCases, halfLoad, webSocketEcho, idleConnections, slowDownload, saveToServed, hangup],
    peers: proxyNames,
    versions: ({ stage, say }) => proxyVersions(stage, say),
  },
  mailbox: {
    cases: [sends, delivery, failover, fullLog, hook, mailFootprint],
    peers: mailPeerNames,
    versions: ({ stage, say }) => mailVersions(stage, say),
  },
  remote: {
    cases: [sealing, hub, held, stream, keystroke, pairing, reconnect, isolation, cutOff, app, simulation],
    peers: [],
    versions: async () => ["no peers"],
  },
};
const DOCUMENT = join(root, "docs", "benchmarks.md");
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      only: { type: "string" },
    },
    allowPositionals: true,
  });
  const part = positionals[0] ?? "jobs";
  const all = PARTS[part];
  const wanted = values.only?.split(",");
  const cases = all?.cases.filter(({ name }) => wanted?.includes(name) ?? true) ?? [];
  if (!all || cases.length === 0) {
    const names = Object.values(PARTS).flatMap((one) => one.cases.map(({ name }) => name));
    console.error(
      `usage: npm run bench -- ${Object.keys(PARTS).join("|")} [--quick|--full] [--only ${names.join(",")}]`,
    );
    process.exit(EXIT_USAGE);
  }
  const text = await measure({ ...all, cases }, values);
  console.log(text);
  if (!values.quick && cases.length === all.cases.length) await writeBetweenMarkers(DOCUMENT, part, text);
}

async function measure(
  { cases, peers, versions = jobTools }: Part,
  { quick, full }: Pick<Bench, "quick" | "full">,
): Promise<string> {
  const stage = await setStage();
  process.on("exit", () => stage.strike());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(EXIT_INTERRUPTED));
  const bench: Bench = { stage, quick, full, say: (line) => console.error(line) };
  const facts = await machineFacts(await versions(bench));
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

async function jobTools({ stage }: Bench): Promise<string[]> {
  return (await makePeers(stage, "facts")).all.map(({ name, version }) => `${name} ${version}`);
}

await main();
