import type { HubClaim, HubNetwork, HubWire, HubWireEvents } from "../../../src/contact/network.ts";
import type { HubWireEvents as HubSide } from "../../../src/hub/wire.ts";
import { WarrenError } from "../../../src/protocol/errors.ts";
import type { Random } from "../random.ts";
import type { HubActor } from "./hub-actor.ts";
import type { Life, VirtualTime } from "./virtual-time.ts";

/** What a hostile hub, or the way to it, makes of a frame: any number of frames in its place. */
export type Meddle = (frame: Uint8Array, about: { to: "hub" | "member"; member: string }) => Uint8Array[];

/** How the way of one member to one hub is at the moment. What is sent while it is silent comes when it is good again, if both ends wait for so long. */
export type Way = "good" | "refusing" | "silent";

/** Connections are TCP's: frames arrive in order, each once, late, or not any more. */
export class VirtualNetwork {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #hubs = new Map<string, HubActor>();
  readonly #ways = new Map<string, Way>();
  readonly #lines = new Set<Line>();
  meddle: Meddle = (frame) => [frame];
  delayMs: readonly [number, number] = [5, 60];

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  add(hub: HubActor): void {
    this.#hubs.set(hub.address, hub);
  }

  set(member: string, hub: string, way: Way): void {
    this.#ways.set(`${member} ${hub}`, way);
    for (const line of this.#lines)
      if (line.member === member && line.hub === hub) {
        if (way === "refusing") line.cut();
        else line.hold(way === "silent");
      }
  }

  heal(): void {
    this.#ways.clear();
    for (const line of this.#lines) line.hold(false);
    this.meddle = (frame) => [frame];
    // Whoever was lied to on a connection believes it for as long as that stands: a hub may refuse its service.
    for (const line of [...this.#lines]) if (line.isMute || line.isTouched) line.cut();
  }

  /** Cuts connections: of these, or all. */
  cut(isOne: (member: string, hub: string) => boolean = () => true): void {
    for (const line of [...this.#lines]) if (isOne(line.member, line.hub)) line.cut();
  }

  /** The connection is open, and nothing more comes through; nobody is told. */
  mute(member: string): void {
    for (const line of this.#lines) if (line.member === member) line.isMute = true;
  }

  /** A hostile hub says something of its own to a member. */
  say(member: string, hub: string, ...frames: readonly Uint8Array[]): void {
    for (const line of this.#lines)
      if (line.member === member && line.hub === hub) for (const frame of frames) line.say(frame);
  }

  delay(): number {
    return this.#random.between(...this.delayMs);
  }

  /** As one member sees it, for as long as it lives. */
  of(member: string, life: Life): HubNetwork {
    return {
      dial: (address, events, signal) => life.of(() => this.#dial({ member, life, address, events, signal })),
      claim: (address) => life.of(() => this.#claim(member, address)),
    };
  }

  async #claim(member: string, address: string): Promise<HubClaim> {
    const hub = await this.#reach(member, address);
    return { key: hub.key.publicKey, label: hub.name };
  }

  async #reach(member: string, address: string): Promise<HubActor> {
    await new Promise<void>((resolve) => this.#time.after(this.delay(), resolve));
    const hub = this.#hubs.get(address);
    const way = this.#ways.get(`${member} ${hub?.name}`);
    if (way === "silent") return new Promise(() => {});
    if (!hub || way === "refusing" || !hub.hub) throw new WarrenError("HUB_UNREACHABLE", `${address} is not there.`);
    return hub;
  }

  async #dial(wanted: {
    member: string;
    life: Life;
    address: string;
    events: HubWireEvents;
    signal: AbortSignal;
  }): Promise<HubWire> {
    const { member, life, address, events } = wanted;
    const actor = await this.#reach(member, address);
    if (life.isOver) return new Promise(() => {});
    const line = new Line({ time: this.#time, network: this, member, hub: actor.name });
    this.#lines.add(line);
    const toMember = line.direction("member", (frame) => life.isOver || events.onFrame(frame));
    line.say = (frame) => this.#time.after(this.delay(), () => line.isCut || life.isOver || events.onFrame(frame));
    const hubLife = actor.life;
    let hubSide: HubSide | undefined;
    const toHub = line.direction("hub", (frame) => hubLife.isOver || hubSide?.onFrame(frame));
    const forget = [life.onEnd(() => line.cut()), hubLife.onEnd(() => line.cut())];
    line.onCut = () => {
      this.#lines.delete(line);
      for (const one of forget) one();
      this.#time.after(this.delay(), () => life.isOver || events.onClosed());
      this.#time.after(this.delay(), () => hubLife.isOver || hubSide?.onClosed());
    };
    hubSide = actor.hub!.accept(
      {
        send: (frame) => {
          toMember.send(frame);
          queueMicrotask(() => hubLife.isOver || hubSide?.onDrained());
        },
        unsentBytes: 0,
        pause: () => toHub.pause(),
        resume: () => toHub.resume(),
        close: () => line.close(),
        destroy: () => line.cut(),
      },
      { address: member },
    );
    return { send: (frame) => toHub.send(frame), close: () => line.close() };
  }
}

/** One connection. */
class Line {
  readonly member: string;
  readonly hub: string;
  readonly #time: VirtualTime;
  readonly #network: VirtualNetwork;
  isMute = false;
  isCut = false;
  /** A frame of it was kept back, changed or repeated. */
  isTouched = false;
  #lastMs = 0;
  #isHeld = false;
  readonly #goOn: (() => void)[] = [];
  onCut: () => void = () => {};
  say: (frame: Uint8Array) => void = () => {};

  constructor(options: { time: VirtualTime; network: VirtualNetwork; member: string; hub: string }) {
    this.#time = options.time;
    this.#network = options.network;
    this.member = options.member;
    this.hub = options.hub;
  }

  /** What was sent before arrives before. */
  close(): void {
    if (!this.isCut) this.#time.after(Math.max(0, this.#lastMs - this.#time.nowMs) + 1, () => this.cut());
  }

  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.onCut();
  }

  /** Nothing comes through for a time; nothing is lost. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    for (const goOn of this.#goOn) goOn();
  }

  direction(to: "hub" | "member", deliver: (frame: Uint8Array) => void) {
    let lastMs = 0;
    let isPaused = false;
    const waiting: Uint8Array[] = [];
    const arrive = (frame: Uint8Array): void => {
      if (this.isCut || this.isMute) return;
      waiting.push(frame);
      goOn();
    };
    const goOn = (): void => {
      while (!isPaused && !this.#isHeld && !this.isCut && waiting.length > 0) deliver(waiting.shift()!);
    };
    this.#goOn.push(goOn);
    return {
      send: (bytes: Uint8Array): void => {
        if (this.isCut || this.isMute) return;
        const frames = this.#network.meddle(bytes.slice(), { to, member: this.member });
        this.isTouched ||= frames.length !== 1 || Buffer.compare(frames[0]!, bytes) !== 0;
        for (const frame of frames) {
          lastMs = Math.max(lastMs, this.#time.nowMs + this.#network.delay());
          this.#lastMs = Math.max(this.#lastMs, lastMs);
          this.#time.after(lastMs - this.#time.nowMs, () => arrive(frame));
        }
      },
      pause: (): void => {
        isPaused = true;
      },
      resume: (): void => {
        isPaused = false;
        goOn();
      },
    };
  }
}
