import { specOf, type WorkerSpec } from "../spec.ts";
import { DRAIN_LEAST_MS } from "./model-front.ts";
import { anyBehaviour, type ModelProcess } from "./model-process.ts";
import { QUIET } from "./model-processes.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** What may happen in one step of a schedule. */
type Chance = (world: World) => void;

/** Any configuration of a worker with processes. */
export function anySpec(random: Random): WorkerSpec {
  const mode = random.chance(60) ? "dev" : "prod";
  return specOf({
    name: "api",
    kind: random.chance(70) ? "node" : "command",
    mode,
    instances: random.weighted([
      [1, 60],
      [2, 25],
      [3, 15],
    ]),
    runKey: `run${random.below(3)}`,
    drainMs: random.pick([DRAIN_LEAST_MS, 10_000, 30_000]),
    health: { intervalMs: 10_000, timeoutMs: 2_000, rise: random.pick([1, 1, 2]), fall: random.pick([1, 3]) },
    memoryBytesMax: 2 ** 30,
  });
}

/** One step: mostly the next thing that was to happen anyway. */
export function stepOnce(world: World): void {
  world.random.weighted(CHANCES)(world);
}

const CHANCES: readonly (readonly [Chance, number])[] = [
  [(world) => world.happen(), 78],
  [save, 10],
  [revert, 3],
  [(world) => world.noticeSave(), 2],
  [(world) => world.watchAnew(), 1],
  [command, 6],
  [killServer, 5],
  [(world) => world.disconnect(), 3],
  [(world) => world.front.die(), 1],
  [killInstance, 3],
  [hang, 1],
  [killInARow, 1],
  [duplicate, 3],
  [trouble, 2],
  [memory, 2],
  [configure, 1],
  [failNextStart, 1],
  [loseNextProbe, 1],
];

function save(world: World): void {
  world.sources.write(anyBehaviour(world.random));
  world.noticeSave();
}

function revert(world: World): void {
  world.sources.version = world.random.pick([...world.sources.behaviours.keys()]);
  world.noticeSave();
}

function command(world: World): void {
  const { random } = world;
  const verb = random.pick([
    "pause",
    "unpause",
    "unpause",
    "stop",
    "start",
    "start",
    "restart",
    "drain",
    "build",
    "rollback",
  ] as const);
  if (verb !== "rollback") return world.tell({ kind: "command", command: { verb } });
  const to = random.chance(50) ? random.pick([...world.sources.behaviours.keys()]) : undefined;
  world.tell({ kind: "command", command: to === undefined ? { verb } : { verb, to } });
}

function killServer(world: World): void {
  if (world.random.chance(30)) world.die();
  else if (world.random.chance(50)) world.doom = world.random.between(-1, 4);
  else world.doom = world.random.pick(["build", "start", "load", "stop", "publish", "probe"] as const);
}

function anyProcess(world: World): ModelProcess | undefined {
  const running = world.processes.existing();
  return running.length > 0 ? world.random.pick(running) : undefined;
}

function killInstance(world: World): void {
  const process = anyProcess(world);
  if (!process) return;
  world.processes.blame(process);
  world.processes.exit(process, process.leftCount);
}

/** Whatever comes up is killed, for a while. */
function killInARow(world: World): void {
  world.processes.killsToCome = 7;
}

function hang(world: World): void {
  const process = anyProcess(world);
  if (!process) return;
  world.processes.blame(process);
  process.isHung = !process.isHung;
}

function duplicate(world: World): void {
  const events = world.lately.filter((event) => event.kind !== "sources" || event.change > 0);
  if (events.length > 0) world.tell(world.random.pick(events));
}

function trouble(world: World): void {
  const process = anyProcess(world);
  if (!process) return;
  world.processes.blame(process);
  const refused = world.random.between(1, 6);
  world.tell({ kind: "trouble", instance: process.id, ...QUIET, refused, total: refused });
}

function memory(world: World): void {
  const process = anyProcess(world);
  if (!process) return;
  world.processes.blame(process);
  world.tell({ kind: "memory", instance: process.id, bytes: 2 ** 31 });
}

function failNextStart(world: World): void {
  world.processes.startFault = world.random.pick(["port", "circumstance"] as const);
}

function loseNextProbe(world: World): void {
  world.processes.isNextProbeLost = true;
}

function configure(world: World): void {
  world.tell({ kind: "configured", spec: anySpec(world.random) });
}
