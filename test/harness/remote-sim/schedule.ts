import { type Random, randomOf } from "../random.ts";
import type { DeviceActor } from "./device-actor.ts";
import type { HubActor } from "./hub-actor.ts";
import { HubDatabases } from "./hub-databases.ts";
import { Judge } from "./judge.ts";
import type { Plants } from "./machine-actor.ts";
import type { Meddle } from "./virtual-network.ts";
import { World } from "./world.ts";

/** What happens: a seed for the world, and one for each step. The same seed is the same schedule, event by event. */
export interface Schedule {
  seed: number;
  steps: readonly number[];
}

export interface RunOptions {
  cipher?: "stand-in" | "real";
  plants?: Plants;
  trace?: (line: string) => void;
  /** Of hubs in memory, which many schedules use after each other. */
  databases?: HubDatabases;
}

const STEPS_PER_SCHEDULE = 24;
/** The longest between two steps. */
const PAUSE_MS_MAX = 3_000;
/** Everything that was broken is whole again; the rarest retry of all comes after five minutes. */
const REST_MS = 20 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

export function scheduleOf(seed: number): Schedule {
  const random = randomOf(seed);
  return { seed, steps: Array.from({ length: STEPS_PER_SCHEDULE }, () => random.between(1, 2 ** 31)) };
}

/** Runs it. Answers what went wrong first, or undefined. */
export async function run({ seed, steps }: Schedule, options: RunOptions = {}): Promise<string | undefined> {
  const hasFiles = seed % 20 === 0;
  await using world = await World.open({ seed, hasFiles, ...options });
  const play = new Play(world, options);
  const [machine] = world.machines;
  for (const [index, device] of world.devices.entries()) {
    await world.pair(device, machine!, world.hubs[index % 2]!);
    await world.finish(device.start());
  }
  for (const [index, step] of steps.entries()) {
    play.random = randomOf(step);
    if (index % 3 === 0) machine!.spoken.say();
    if (index % 4 === 1) machine!.written.write();
    play.step();
    await world.time.runUntil(world.time.nowMs + play.random.between(0, PAUSE_MS_MAX));
    await play.settled();
  }
  await play.heal();
  machine!.spoken.say();
  machine!.written.write();
  await world.time.runUntil(world.time.nowMs + REST_MS, () => play.judge.isOver());
  return play.judge.verdict();
}

class Play {
  readonly judge: Judge;
  random: Random = randomOf(1);
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #asked = new Map<DeviceActor, number>();
  /** Of hubs: their stores are files that have to be closed. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(world: World, options: RunOptions) {
    this.#world = world;
    this.#options = options;
    this.judge = new Judge(world);
  }

  /** What happens to hubs' stores is over. */
  settled(): Promise<unknown> {
    return this.#world.finish(this.#work);
  }

  step(): void {
    const { random } = this;
    const { network, hubs, devices, machines } = this.#world;
    const [hub, device, machine] = [random.pick(hubs), random.pick(devices), machines[0]!];
    const kind = random.between(1, 100);
    const member = random.pick([device.name, machine.name]);
    const told = (what: string): void => this.#options.trace?.(`${Math.round(this.#world.time.nowMs)} ${what}`);
    if (kind <= 40) {
      told(`${device.name} asks`);
      if (random.oneIn(4)) this.#tidyUp(device);
      for (let count = random.between(1, 3); count > 0; count--) this.#ask(device);
    } else if (kind <= 48) {
      told(`cut ${member}`);
      network.cut((one) => one === member);
    } else if (kind <= 52) {
      told(`half-open ${member}`);
      network.mute(member);
    } else if (kind <= 60) {
      const way = random.pick(["good", "good", "refusing", "silent"] as const);
      told(`way ${member} ${hub.name} ${way}`);
      network.set(member, hub.name, way);
    } else if (kind <= 66) {
      told(`hub ${hub.name} ${hub.hub ? "dies" : "is started"}`);
      if (hub.hub) this.#hubs(() => hub.crash());
      else this.#hubs(async () => hub.start());
    } else if (kind <= 71) this.#crashMachine(told);
    else if (kind <= 78) this.#crashDevice(device, told);
    else if (kind <= 82) {
      const jumper = random.pick([device, machine, hub]);
      jumper.wall.offsetMs = random.between(-DAY_MS, DAY_MS);
      if (jumper === machine) this.judge.machineClockJumped();
      told(`clock of ${jumper.name} ${jumper.wall.offsetMs}`);
    } else if (kind <= 88) {
      network.meddle = random.oneIn(2) ? (frame) => [frame] : hostile(random);
      this.judge.meddled();
      told("a hub meddles, or stops it");
    } else if (kind <= 91) {
      this.judge.meddled();
      told(`${hub.name} is put back, or a copy is made`);
      this.#hubs(() => (random.oneIn(2) ? hub.backUp() : hub.restore()));
    } else if (kind <= 95) {
      told(`${device.name} pairs at ${hub.name}`);
      if (machine.remote && !this.judge.isRevoking(device)) this.#pair(device, hub);
    } else if (kind <= 98) {
      told(`rename ${device.name}`);
      const name = machine.remote?.devices()[0]?.name;
      if (name) machine.remote!.renameDevice(name, `${name.split(" ")[0]} ${random.between(2, 99)}`).catch(() => {});
    } else this.#revoke(told);
  }

  #ask(device: DeviceActor): void {
    const { outbox } = device.coordinator ?? {};
    if (!outbox) return;
    const number = (this.#asked.get(device) ?? 0) + 1;
    this.#asked.set(device, number);
    const machine = device.coordinator!.machines()[0]?.machine.id;
    if (machine === undefined) return;
    const whole = this.#world.devices.indexOf(device) * 1_000_000 + number;
    const added = outbox.add({ machine, type: "stop", payload: { number: whole } });
    added.then(() => this.judge.acknowledged(device, whole)).catch(() => {});
  }

  /** What is done is put away; its number is remembered without it. */
  #tidyUp({ coordinator }: DeviceActor): void {
    const { outbox } = coordinator ?? {};
    for (const { id, state } of outbox?.items() ?? []) if (state.kind === "done") outbox!.remove(id).catch(() => {});
  }

  #crashMachine(told: (what: string) => void): void {
    const machine = this.#world.machines[0]!;
    const how = this.random.pick(["now", "before", "after"] as const);
    told(`${machine.name} ${machine.remote ? `dies ${how}` : "is started"}`);
    if (!machine.remote) void machine.start();
    else if (how === "now") machine.crash();
    else machine.dieAtWrite = how;
  }

  #crashDevice(device: DeviceActor, told: (what: string) => void): void {
    const how = this.random.pick(["now", "before", "after"] as const);
    told(`${device.name} ${device.coordinator ? `dies ${how}` : "is started"}`);
    if (!device.coordinator) void device.start();
    else if (how === "now") device.crash();
    else device.dieAtWrite = how;
  }

  #pair(device: DeviceActor, hub: HubActor): void {
    const mayJoin = (): boolean => !this.judge.isRevoking(device);
    this.#world.pairing(device, this.#world.machines[0]!, hub, mayJoin).catch(() => {});
  }

  #revoke(told: (what: string) => void): void {
    const machine = this.#world.machines[0]!;
    const device = this.#world.devices[1]!;
    const name = machine.remote?.devices().find((one) => one.name.startsWith(device.name))?.name;
    if (name === undefined) return;
    told(`revoke ${device.name}`);
    this.judge.revoking(device);
    const revoked = this.#world.plants.noCut ? Promise.resolve() : machine.remote!.revoke(name);
    revoked.then(() => this.judge.revoked(device)).catch(() => {});
  }

  #hubs(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
  }

  /** Everybody runs, and everything comes through. */
  async heal(): Promise<void> {
    await this.settled();
    const world = this.#world;
    if (!world.plants.noHeal) world.network.heal();
    for (const hub of world.hubs) if (!world.plants.noHeal) hub.start();
    for (const machine of world.machines) {
      machine.dieAtWrite = undefined;
      await world.finish(machine.start());
    }
    for (const device of world.devices) {
      device.dieAtWrite = undefined;
      await world.finish(device.start());
    }
  }
}

/** Of every ten frames one is lost, sent twice, held behind the next one, or changed. */
function hostile(random: Random): Meddle {
  const held = new Map<string, Uint8Array>();
  return (frame, { to, member }) => {
    const line = `${to} ${member}`;
    const before = held.get(line);
    held.delete(line);
    const rest = before ? [before] : [];
    switch (random.between(1, 40)) {
      case 1:
        return rest;
      case 2:
        return [frame, ...rest, frame];
      case 3:
        held.set(line, frame);
        return rest;
      case 4: {
        const changed = frame.slice();
        changed[random.between(0, changed.length - 1)]! ^= 1 << random.between(0, 7);
        return [changed, ...rest];
      }
      default:
        return [frame, ...rest];
    }
  };
}

/** Runs schedules from `firstSeed` on; stops at the first that goes wrong. */
export async function runMany(
  firstSeed: number,
  count: number,
  { onRun, ...options }: RunOptions & { onRun?: (seed: number) => void } = {},
): Promise<{ seed: number; broken: string } | undefined> {
  const databases = new HubDatabases();
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const broken = await run(scheduleOf(seed), { databases, ...options });
    if (broken !== undefined) return { seed, broken };
    onRun?.(seed);
  }
  return undefined;
}
