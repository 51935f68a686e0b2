import { type Clock, timestamp } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Machine } from "../../protocol/mail-units.ts";
import { isRemote, MACHINE_NAME_PATTERN } from "../log/addresses.ts";
import type { MachineRow } from "../log/machine-calls.ts";
import type { Effect } from "../log/operations.ts";
import { nameTakenThere } from "./errors.ts";
import { HEARTBEAT_MS, MACHINES_MAX, NAMES_GATHER_MS, NAMES_MAX } from "./limits.ts";
import type { MachineLog } from "./machine-log.ts";
import { decodePacket } from "./packets.ts";
import { PeerMachine } from "./peer-machine.ts";
import { Post } from "./post.ts";
import { FACT_BYTES_MAX, type ReceivedPacket, type Transport, type TransportState } from "./transport.ts";

/**
 * The exchange with other machines, in the leader (docs/mailbox-design.md, "Machines"). Everything that must not be lost is in the log; a new leader begins here with
 * nothing and goes on where the log says.
 *
 * In the directory: `name.M` (lasting: whose name M is), `who.M` (lasting: who is there), `here.M` (fleeting: M is connected).
 */
export interface MachinesOptions {
  machine: string;
  logId: string;
  epoch: number;
  transport: Transport;
  log: MachineLog;
  clock: Clock;
  ownLog: Log;
  /** Who can be written to here, by name and presence. */
  participants: () => Promise<readonly (readonly [string, string])[]>;
}

export class Machines {
  readonly machine: string;
  readonly #options: MachinesOptions;
  readonly #post: Post;
  readonly #peers = new Map<string, PeerMachine>();
  #isClosed = false;
  #cancelBeat = (): void => {};
  #cancelNames: (() => void) | undefined;
  /** What the others were told last. */
  #namesTold: string | undefined;
  /** Why nothing goes although the transport is there. */
  #problem: string | undefined;
  /** Counts connections: what an earlier one still does is no longer ours. */
  #connection = 0;

  constructor(options: MachinesOptions) {
    this.machine = options.machine;
    this.#options = options;
    this.#post = new Post(options);
  }

  async start(): Promise<void> {
    const { log, transport } = this.#options;
    const known = await log.read("log.machines", {});
    for (const row of known.machines) this.#peer(row.name, row);
    transport.onState((state) => this.#onState(state));
    this.#onState(transport.state);
  }

  get problem(): string | undefined {
    const { state } = this.#options.transport;
    return state.kind === "connecting" ? (state.problem ?? "not connected yet") : this.#problem;
  }

  /** What commits brought about. */
  take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "queued" && isRemote(effect.to)) this.#peers.get(machineOf(effect.to))?.lane.more();
      else if (effect.kind === "receipt" && isRemote(effect.from)) {
        if (effect.state !== "queued" && effect.state !== "offered")
          this.#peers.get(machineOf(effect.from))?.told.changed(effect.seq);
      } else if (effect.kind === "participant" && !isRemote(effect.name)) this.#tellNamesSoon();
    }
  }

  async list(): Promise<Machine[]> {
    const { machines } = await this.#options.log.read("log.machines", {});
    return machines.map((row) => this.#toMachine(row));
  }

  /** `leaves`: its name is free then. */
  async close({ leaves }: { leaves: boolean }): Promise<void> {
    this.#isClosed = true;
    this.#cancelBeat();
    this.#cancelNames?.();
    for (const peer of this.#peers.values()) peer.close();
    const { transport, machine } = this.#options;
    if (leaves && transport.state.kind === "connected") {
      const { directory } = transport;
      await directory.remove("fleeting", `here.${machine}`).catch(() => undefined);
      await directory.remove("lasting", `who.${machine}`).catch(() => undefined);
      await directory.remove("lasting", `name.${machine}`).catch(() => undefined);
    }
    await transport.close();
  }

  #onState(state: TransportState): void {
    if (this.#isClosed) return;
    this.#connection += 1;
    this.#cancelBeat();
    if (state.kind === "connecting") for (const peer of this.#peers.values()) peer.disconnected();
    else void this.#connected(state.isFresh, this.#connection);
  }

  async #connected(isFresh: boolean, connection: number): Promise<void> {
    const { transport, ownLog, machine } = this.#options;
    try {
      await this.claim();
      this.#problem = undefined;
      this.#namesTold = undefined;
      if (!this.#isCurrent(connection)) return;
      const { directory } = transport;
      await directory.watch("lasting", (key, value) => this.#onFact(connection, key, value));
      await directory.watch("fleeting", (key, value) => this.#onFact(connection, key, value));
      if (!this.#isCurrent(connection)) return;
      transport.receive(machine, (packet) => this.#receive(packet));
      for (const peer of this.#peers.values()) peer.connected(isFresh);
      await this.#beat(connection);
    } catch (error) {
      if (!this.#isCurrent(connection)) return;
      this.#problem = messageOf(error);
      ownLog.warn("machines_not_ready", { error: messageOf(error) });
      const again = (): void => void this.#connected(isFresh, connection);
      this.#cancelBeat = this.#options.clock.timer(HEARTBEAT_MS, again);
    }
  }

  #isCurrent(connection: number): boolean {
    return !this.#isClosed && connection === this.#connection;
  }

  /** Takes the name, or finds that it is ours. @throws MACHINE_NAME_TAKEN */
  async claim(): Promise<void> {
    const { transport, machine, logId, clock } = this.#options;
    const key = `name.${machine}`;
    const value = JSON.stringify({ log_id: logId, since: timestamp(clock.wallMs()) });
    if (await transport.directory.put("lasting", key, value, 0)) return;
    const fact = await transport.directory.get("lasting", key);
    const owner = fact && (parsed(fact.value) as { log_id?: unknown; since?: unknown } | undefined);
    if (owner?.log_id === logId) return;
    if (fact === undefined || owner === undefined) {
      if (await transport.directory.put("lasting", key, value, fact?.revision ?? 0)) return;
    }
    throw nameTakenThere(machine, String(owner?.since ?? "a moment ago"), `${machine.slice(0, 30)}-2`);
  }

  async #beat(connection: number): Promise<void> {
    const { transport, machine, epoch, logId, clock } = this.#options;
    this.#cancelBeat = clock.timer(HEARTBEAT_MS, () => void this.#beat(connection));
    const value = JSON.stringify({ log_id: logId, epoch });
    try {
      await transport.directory.put("fleeting", `here.${machine}`, value);
      if (this.#isCurrent(connection)) await this.#tellNames();
    } catch {
      // the connection is bad, and the transport sees to it; or the next beat does
    }
  }

  #tellNamesSoon(): void {
    if (this.#isClosed || this.#options.transport.state.kind !== "connected") return;
    this.#cancelNames ??= this.#options.clock.timer(NAMES_GATHER_MS, () => {
      this.#cancelNames = undefined;
      void this.#tellNames().catch(() => undefined); // with the next beat
    });
  }

  async #tellNames(): Promise<void> {
    const { transport, machine, logId, participants } = this.#options;
    const isGone = ([, presence]: readonly [string, string]): number => Number(presence === "gone");
    const sorted = (await participants()).toSorted((a, b) => isGone(a) - isGone(b));
    const text = (count: number): string => JSON.stringify({ log_id: logId, names: sorted.slice(0, count) });
    let count = NAMES_MAX;
    while (Buffer.byteLength(text(count)) > FACT_BYTES_MAX) count = Math.floor(count / 2);
    const told = text(count);
    if (told === this.#namesTold) return;
    await transport.directory.put("lasting", `who.${machine}`, told);
    this.#namesTold = told;
  }

  #onFact(connection: number, key: string, value: string | undefined): void {
    if (!this.#isCurrent(connection)) return;
    const dot = key.indexOf(".");
    const [kind, name] = [key.slice(0, dot), key.slice(dot + 1)];
    if (name === this.machine || !MACHINE_NAME_PATTERN.test(name)) return;
    const fact = value === undefined ? undefined : (parsed(value) as Record<string, unknown> | undefined);
    if (kind === "here" && !fact) return this.#peers.get(name)?.gone();
    if (!fact || typeof fact.log_id !== "string") return;
    const peer = this.#peer(name);
    if (!peer) return;
    if (kind === "name" || kind === "here") {
      peer.told.logId = fact.log_id;
      this.#tell(name, { log_id: fact.log_id });
    }
    if (kind === "who") this.#tell(name, { names: namesIn(fact.names) });
    if (kind === "here") peer.heard(fact.epoch);
  }

  /** Written into the log only when it is new. */
  readonly #known = new Map<string, string>();

  #tell(name: string, heard: { log_id?: string; names?: [string, string][]; is_here?: boolean }): void {
    const key = `${name} ${Object.keys(heard).join()}`;
    const text = JSON.stringify(heard);
    if (this.#known.get(key) === text) return;
    this.#known.set(key, text);
    const { log, clock } = this.#options;
    void log.perform("log.machine", { name, ...heard, seen_ms: clock.wallMs() }).catch(() => undefined); // a log that is lost ends the leader
  }

  #peer(name: string, row?: MachineRow): PeerMachine | undefined {
    const found = this.#peers.get(name);
    if (found) return found;
    if (this.#peers.size >= MACHINES_MAX) return undefined;
    const { epoch, log, clock, ownLog, transport } = this.#options;
    const peer = new PeerMachine({
      name,
      epoch,
      log,
      post: this.#post,
      clock,
      ownLog,
      onPresence: (isHere) => this.#tell(name, { is_here: isHere }),
    });
    this.#peers.set(name, peer);
    if (row?.log_id !== undefined) peer.told.logId = row.log_id;
    if (!row) this.#tell(name, {});
    if (transport.state.kind === "connected" && !row) peer.connected(false);
    return peer;
  }

  #receive(received: ReceivedPacket): void {
    if (this.#isClosed) return;
    const { ownLog } = this.#options;
    const packet = decodePacket(received.bytes);
    const refuse = (why: string): void => {
      ownLog.warn("machines_packet_refused", { from: received.from, why });
      received.done();
    };
    if (!packet) return refuse("it cannot be read");
    if (packet.from !== received.from) return refuse(`it says to be from ${packet.from}`);
    if (packet.to !== this.machine) return refuse(`it is for ${packet.to}`);
    if (packet.from === this.machine || !MACHINE_NAME_PATTERN.test(packet.from))
      return refuse("no other machine's name");
    const peer = this.#peer(packet.from);
    if (!peer) return refuse("too many machines");
    if (peer.told.logId === undefined) peer.told.logId = packet.log_id;
    peer.take(packet, received).catch((error) => {
      // Not taken: it is delivered again. A log that is lost ends the leader.
      if (!isWarrenError(error)) ownLog.error("machines_packet_failed", { error: messageOf(error) });
    });
  }

  #toMachine({ name, seen_ms, waiting }: MachineRow): Machine {
    const peer = this.#peers.get(name);
    const isHere = peer?.isHere === true;
    const problem = peer?.lane.problem;
    return {
      name,
      state: isHere ? "connected" : "away",
      ...(isHere ? { since: timestamp(peer.sinceMs) } : {}),
      ...(seen_ms === undefined ? {} : { last_seen: timestamp(isHere ? this.#options.clock.wallMs() : seen_ms) }),
      waiting,
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

const machineOf = (address: string): string => address.slice(address.indexOf("@") + 1);

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of somebody else: only what has the form. */
function namesIn(value: unknown): [string, string][] {
  if (!Array.isArray(value)) return [];
  const isPair = (one: unknown): one is [string, string] =>
    Array.isArray(one) && typeof one[0] === "string" && /^[A-Za-z0-9_-]{1,32}$/.test(one[0]) && PRESENCES.has(one[1]);
  return value
    .filter(isPair)
    .slice(0, NAMES_MAX)
    .map(([name, presence]) => [name, presence]);
}

const PRESENCES: ReadonlySet<unknown> = new Set(["live", "idle", "busy", "gone"]);
