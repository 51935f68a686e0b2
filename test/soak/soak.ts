import { AGENT_LOG } from "../harness/busy-agents.ts";
import { type TemporaryHome, temporaryHome } from "../harness/home.ts";
import { HubHouse } from "../harness/hub-house.ts";
import { argvOf } from "../harness/processes.ts";
import { type Random, randomOf } from "../harness/random.ts";
import { Site } from "../harness/site.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { Agents } from "./agents.ts";
import { Chaos } from "./chaos.ts";
import { GatewayLoad } from "./gateway.ts";
import { type Ground, type Part, pause } from "./ground.ts";
import { Incidents } from "./incidents.ts";
import { Jobs } from "./jobs.ts";
import { capsOf, judgeLooks, MEMORY_MINUTES_MIN } from "./judging.ts";
import { Ledger } from "./ledger.ts";
import { Mail } from "./mail.ts";
import { Remote } from "./remote.ts";
import { clock, type Outcome } from "./report.ts";
import { type Look, look } from "./sampling.ts";
import { Sessions } from "./sessions.ts";

/**
 * Everything at once, for as long as is said: one home with jobs, sessions, agents, a gateway under load, a mailbox and two hubs, and a device of it, while servers, fronts, workers, hubs
 * and leaders die and a reload comes every minute. At the end each part says whether anything was lost or doubled, and the looks at memory, descriptors, threads, processes and disk
 * whether anything grows (`growth.ts` has the rule, `judging.ts` the allowances).
 *
 * Everything that it starts has ended when it resolves, also when `stopped` is aborted.
 */
export interface SoakOptions {
  minutes: number;
  seed: number;
  stopped: AbortSignal;
  /** A line for people. */
  say: (line: string) => void;
}

const MINUTE_MS = 60_000;
const LOOK_EVERY_MS_MAX = 10_000;
/** So many at least, also in a short run. */
const LOOKS_MIN = 72;
const OPEN_MS = 180_000;
const FINISH_MS = 240_000;
const ENDED_MS = 10_000;

export async function soak(options: SoakOptions): Promise<Outcome> {
  const { seed, stopped } = options;
  const over = new AbortController();
  stopped.addEventListener("abort", () => over.abort(), { once: true });
  const ledger = new Ledger({
    onFault: ({ part, what, atMs }) => options.say(`${clock(atMs)}  fault in ${part}: ${what.split("\n")[0]}`),
    onFull: () => over.abort(),
  });
  const beganMs = performance.now();
  const { looks, caps, incidents } = await onGround({ ...options, ledger, over });
  const ran = Number(((performance.now() - beganMs) / MINUTE_MS).toFixed(1));
  const growth = judgeLooks(looks, caps, { judgesMemory: ran >= MEMORY_MINUTES_MIN });
  return {
    seed,
    minutes: ran,
    counts: countsOf(ledger, incidents),
    allowed: ledger.allowed,
    growth,
    faults: ledger.faults,
  };
}

interface Run extends SoakOptions {
  ledger: Ledger;
  over: AbortController;
}

async function onGround(run: Run) {
  const { seed, stopped, ledger, over, minutes } = run;
  const random = randomOf(seed);
  const incidents = new Incidents();
  const houseEnv = { ...AGENT_LOG, WARREN_MAIL_PORT: "0" };
  await using site = await Site.make({ "package.json": '{ "type": "module" }\n' }, { env: houseEnv });
  const deadlineMs = (minutes + 60) * MINUTE_MS;
  const [first, second] = await Promise.all(["first", "second"].map((label) => openHub(label, deadlineMs)));
  await using _first = first!;
  await using _second = second!;
  await using device = temporaryHome();
  const ground: Omit<Ground, "random"> = {
    site,
    house: site.house,
    hubs: [first!, second!],
    device,
    ledger,
    incidents,
    over: over.signal,
    stopped,
  };
  const looks = await withParts(ground, random, run);
  for (const house of [site.house, device]) await endsClean(house, ground);
  const caps = capsOf({
    sessions: ledger.count("live sessions"),
    changes: 4 * ledger.count("jobs") + 4 * ledger.count("short sessions") + 8 * ledger.count("turns"),
    messages: ledger.count("messages"),
  });
  return { looks, caps, incidents };
}

const openHub = (label: string, deadlineMs: number): Promise<HubHouse> =>
  HubHouse.open({ args: ["--label", label], deadlineMs });

async function withParts(base: Omit<Ground, "random">, random: Random, run: Run): Promise<Look[]> {
  const { ledger } = base;
  /** Each has choices of its own, so that what one does does not change what another one chooses. */
  const ground = (): Ground => ({ ...base, random: randomOf(random.between(0, 2 ** 31)) });
  using sessions = new Sessions(ground());
  using agents = new Agents(ground());
  await using mail = new Mail(ground());
  using remote = new Remote(ground(), () => sessions.counters);
  const parts: Part[] = [new GatewayLoad(ground()), sessions, agents, mail, remote, new Jobs(ground())];
  const chaos = new Chaos(ground());
  const looks: Look[] = [];
  const isOpen = await within(base, { what: "the start", deadlineMs: OPEN_MS }, async () => {
    for (const part of parts) await part.open();
  });
  if (!isOpen) return looks;
  ledger.add("live sessions", sessions.counters.length + 3);
  await work({ parts, chaos, looks, ground: ground(), run });
  await within(base, { what: "the end", deadlineMs: FINISH_MS }, () => checkAll(base, parts));
  return looks;
}

interface Works {
  parts: readonly Part[];
  chaos: Chaos;
  looks: Look[];
  ground: Ground;
  run: Run;
}

async function work({ parts, chaos, looks, ground, run }: Works): Promise<void> {
  const { over, minutes, say } = run;
  const lastsMs = minutes * MINUTE_MS;
  const beganMs = performance.now();
  const timer = setTimeout(() => over.abort(), lastsMs);
  const everyMs = Math.min(LOOK_EVERY_MS_MAX, lastsMs / LOOKS_MIN);
  const watching = watch(ground, looks, everyMs);
  const telling = tell(ground, () => {
    const faults = ground.ledger.faults.length;
    const { server, keeper } = looks.at(-1)?.groups ?? {};
    const memory = `server ${server?.pssMB.toFixed(0)} MB, keeper ${keeper?.pssMB.toFixed(0)} MB`;
    const words = [...parts.map((part) => part.say()), chaos.say(), memory, `faults ${faults}`];
    say(`${clock(performance.now() - beganMs)}  ${words.join(" · ")}`);
  });
  const working = [...parts.map((part) => part.work()), chaos.work(), watching, telling];
  await afterOver(ground, working);
  clearTimeout(timer);
}

/** When it is over, what is in hand is finished, within a limit. */
async function afterOver(ground: Ground, working: readonly Promise<void>[]): Promise<void> {
  const { over } = ground;
  const all = Promise.all(working).then(() => {});
  all.catch(() => {});
  await Promise.race([all, new Promise((wake) => over.addEventListener("abort", wake, { once: true }))]);
  await within(ground, { what: "what was in hand", deadlineMs: FINISH_MS }, () => all);
}

async function watch(ground: Ground, looks: Look[], everyMs: number): Promise<void> {
  while (!ground.over.aborted) {
    await pause(everyMs, ground.over);
    if (!ground.over.aborted) looks.push(await look(ground));
  }
}

async function tell({ over }: Ground, line: () => void): Promise<void> {
  while (!over.aborted) {
    await pause(MINUTE_MS, over);
    line();
  }
}

/** Each part, whatever became of the others. */
async function checkAll(
  { ledger, stopped }: Pick<Ground, "ledger" | "stopped">,
  parts: readonly Part[],
): Promise<void> {
  for (const part of parts) {
    try {
      await part.check();
    } catch (error) {
      if (!stopped.aborted) ledger.fault(part.name, error);
    }
  }
}

/** False: it was stopped, has failed, or has hung; the last two are faults. */
async function within(
  { stopped, ledger }: Pick<Ground, "stopped" | "ledger">,
  { what, deadlineMs }: { what: string; deadlineMs: number },
  task: () => Promise<void>,
): Promise<boolean> {
  if (stopped.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<"hangs" | "stopped">();
  const timer = setTimeout(() => resolve("hangs"), deadlineMs);
  const stop = (): void => resolve("stopped");
  stopped.addEventListener("abort", stop, { once: true });
  try {
    const end = await Promise.race([task(), promise]);
    if (end === "hangs") ledger.fault(what, `has not come within ${deadlineMs / 1_000} s`);
    return end === undefined;
  } catch (error) {
    if (!stopped.aborted) ledger.fault(what, error);
    return false;
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener("abort", stop);
  }
}

/** `nuke` leaves no process of a home; nor of its workers, which do not know of it. */
async function endsClean(
  house: TemporaryHome,
  { site, ledger, stopped }: Pick<Ground, "site" | "ledger" | "stopped">,
): Promise<void> {
  const left = (): number[] => [...house.processes(), ...site.workerProcesses()].map(({ pid }) => pid);
  try {
    await house.warren(["nuke", "--grace", "0s"]);
    const what = "the end of all processes";
    await waitUntil(() => left().length === 0, { what, deadlineMs: ENDED_MS, everyMs: 50 });
  } catch (error) {
    const programs = left().map((pid) => `${pid} ${argvOf(pid).slice(0, 4).join(" ")}`);
    if (!stopped.aborted) ledger.fault("nuke", `${error}; left: ${programs.join("; ")}`);
  }
}

const COUNTED = [
  "jobs",
  "short sessions",
  "counted lines",
  "turns",
  "guests",
  "requests",
  "saves",
  "messages",
  "messages handled",
  "leader deaths",
  "remote runs",
  "left lines",
  "lines kept for later",
  "reloads",
] as const;

const countsOf = (ledger: Ledger, incidents: Incidents): Outcome["counts"] => [
  ...COUNTED.map((what) => ({ what, count: ledger.count(what) })),
  ...(["server", "front", "worker", "hub"] as const).map((victim) => ({
    what: `deaths of a ${victim}`,
    count: incidents.count(victim),
  })),
];
