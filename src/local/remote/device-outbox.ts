import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Coordinator } from "../../client/remote/coordinator.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import type { NewItem, Outbox } from "../../client/remote/outbox.ts";
import { isSettled as isOver, type OutboxItem } from "../../client/remote/outbox-item.ts";
import type { MachineRow } from "../../client/remote/remote-events.ts";
import { isSettled } from "../../contact/standing-contact.ts";
import { type Lock, waitForLock } from "../../platform/lock.ts";
import type { Places } from "../../platform/paths.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { decodeUnitRow, type UnitRow } from "../../sealing/unit-row.ts";
import { commandClock, deviceDirectory, deviceStoreOf, ownParts } from "./device.ts";
import { hasDeviceDatabase, openDeviceDatabase } from "./device-database.ts";
import { OutboxTable } from "./outbox-table.ts";
import { RecordTable } from "./record-table.ts";

/**
 * What this home has asked of machines that may be away. There is no process that watches it: commands bring it on its way, one at a time.
 *
 * 1. Whoever drives it holds its lock, which the kernel frees when he dies: nobody else numbers, seals or takes back meanwhile.
 * 2. What is added is on disk before it is said to be kept. A command that is killed at any point leaves what the next one goes on with.
 */
const LOCK = "outbox.lock";
/** Another command may be bringing things to a machine that is slow. */
const LOCK_TIMEOUT_MS = 30_000;
/** After nothing has come from any hub for so long, nothing more is expected for now. */
const QUIET_MS = 2_000;
/** Longest that a command waits for what becomes of what it has brought. */
const SETTLE_MS = 15_000;
/** Of what is over the newest are kept, to be looked at. */
const OVER_COUNT_MAX = 100;

export interface DeviceOutboxOptions {
  places: Pick<Places, "remoteDir">;
  /** Whom it is for, in words; default: any. */
  wanted?: string;
  lockTimeoutMs?: number;
}

/** What is there to be looked at, without a connection and whoever drives it. */
export async function waitingItems(places: Pick<Places, "remoteDir">): Promise<OutboxItem[]> {
  const dir = deviceDirectory(places);
  if (!hasDeviceDatabase(dir)) return [];
  const database = openDeviceDatabase(dir);
  try {
    return await new OutboxTable(database).items();
  } finally {
    database.close();
  }
}

interface KnownRow {
  machine: string;
  unit: UnitRow;
}

/** The newest of each unit, by whatever hub. */
function unitsIn(records: RecordTable): KnownRow[] {
  const newest = new Map<string, KnownRow>();
  for (const { machine, text } of records.rows().sort((a, b) => a.atMs - b.atMs)) {
    const unit = rowOf(text);
    if (unit) newest.set(`${machine}/${unit.id}`, { machine, unit });
  }
  return [...newest.values()].filter(({ unit }) => unit.state !== "gone");
}

/** Undefined: of a newer machine. */
function rowOf(text: Uint8Array): UnitRow | undefined {
  try {
    return decodeUnitRow(text);
  } catch (error) {
    if (isWarrenError(error, "FORM_INVALID")) return undefined;
    throw error;
  }
}

/** What people call the machines of this home, by their ids. */
export const machineNames = async (places: Pick<Places, "remoteDir">): Promise<Map<string, string>> =>
  new Map((await deviceStoreOf(places).machines()).map(({ id, name }) => [id, name]));

export class DeviceOutbox {
  readonly #lock: Lock;
  readonly #database: DatabaseSync;
  readonly #items: OutboxTable;
  readonly #records: RecordTable;
  readonly #coordinator: Coordinator;

  /** Connects nothing yet. @throws MACHINE_NOT_FOUND where nothing was joined; OUTBOX_BUSY, DEVICE_FILE_OPEN, DEVICE_STATE_… */
  static async open({
    places,
    wanted = "any",
    lockTimeoutMs = LOCK_TIMEOUT_MS,
  }: DeviceOutboxOptions): Promise<DeviceOutbox> {
    const own = await ownParts(places, wanted);
    const dir = deviceDirectory(places);
    const database = openDeviceDatabase(dir);
    let lock: Lock | undefined;
    try {
      lock = await waitForLock(join(dir, LOCK), { timeoutMs: lockTimeoutMs, intervalMs: 20 });
      if (!lock) throw busy(lockTimeoutMs);
      const items = new OutboxTable(database);
      items.forgetOver(OVER_COUNT_MAX);
      const records = new RecordTable(database);
      const coordinator = await Coordinator.open({ ...own, records, outbox: items });
      return new DeviceOutbox({ lock, database, items, records, coordinator });
    } catch (error) {
      lock?.release();
      database.close();
      throw error;
    }
  }

  private constructor(parts: {
    lock: Lock;
    database: DatabaseSync;
    items: OutboxTable;
    records: RecordTable;
    coordinator: Coordinator;
  }) {
    this.#lock = parts.lock;
    this.#database = parts.database;
    this.#items = parts.items;
    this.#records = parts.records;
    this.#coordinator = parts.coordinator;
  }

  /** @throws MACHINE_NOT_FOUND, MACHINE_AMBIGUOUS */
  machineNamed(name: string): MachineLink {
    return this.#coordinator.machineNamed(name);
  }

  machines(): MachineRow[] {
    return this.#coordinator.machines();
  }

  items(): OutboxItem[] {
    return this.#outbox.items();
  }

  /** The machines for which something is open. */
  waitedFor(): string[] {
    return this.#items.machines();
  }

  /** What a machine has said last of its units, by any hub; read by `settle`. */
  unitsOf(machine: string): UnitRow[] {
    return unitsIn(this.#records).flatMap((row) => (row.machine === machine ? [row.unit] : []));
  }

  /** The machine lists more than has come by one of its hubs, so that it may have told of units that are not known here. */
  isBehind(machine: string): boolean {
    const hubs = Object.keys(this.#rowOf(machine)?.machine.spaces ?? {});
    const gaps = hubs.flatMap((hub) => this.#records.gaps(hub));
    return gaps.some((gap) => gap.kind === "behind" && gap.machine === machine);
  }

  /** On disk when it resolves; it goes with `settle`. */
  add(item: NewItem): Promise<OutboxItem> {
    return this.#outbox.add(item);
  }

  /** @throws ITEM_NOT_FOUND, ITEM_SENT */
  remove(id: string): Promise<void> {
    return this.#outbox.remove(id);
  }

  /** Connects to the machine's hubs, and resolves when nothing more is to be had for now: all is over, or lies at a hub, or nobody can be reached. */
  settle(machine: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let cancelQuiet = (): void => {};
    const look = (): void => {
      cancelQuiet();
      if (this.#isSettled(machine)) resolve();
      else
        cancelQuiet = commandClock.timer(QUIET_MS, () => {
          if (!this.#isThere(machine)) resolve();
        });
    };
    const cancel = commandClock.timer(SETTLE_MS, resolve);
    const events = this.#coordinator.subscribe(look);
    this.#records.readers.add(look);
    this.#coordinator.start(machine);
    look();
    return promise.finally(() => {
      this.#records.readers.delete(look);
      events.close();
      cancel();
      cancelQuiet();
    });
  }

  async close(): Promise<void> {
    this.#coordinator.close();
    // What was in hand gives up, and is written down.
    for (const machine of this.waitedFor()) await this.#outbox.flush(machine).catch(() => {});
    this.#database.close();
    this.#lock.release();
  }

  get #outbox(): Outbox {
    return this.#coordinator.outbox!;
  }

  #isSettled(machine: string): boolean {
    const row = this.#rowOf(machine);
    const hubs = Object.keys(row?.machine.spaces ?? {}).flatMap((hub) => this.#coordinator.hub(hub) ?? []);
    const ready = hubs.filter(({ state }) => state.kind === "ready");
    const areSettled = hubs.every(({ state }) => isSettled(state) && state.kind !== "off");
    if (!row || ready.length === 0) return areSettled;
    for (const { entry } of ready) {
      const { fingerprint } = entry;
      if (!this.#coordinator.hasRead(fingerprint) || row.presence[fingerprint] === undefined) return false;
    }
    const open = this.items().filter((item) => item.machine === machine && !isOver(item));
    if (open.length === 0 || (row.refusal && areSettled)) return true;
    return !this.#isThere(machine) && open.every(({ sealed }) => sealed?.isPut === true);
  }

  #isThere(machine: string): boolean {
    const row = this.#rowOf(machine);
    return row?.liveHub !== undefined || Object.values(row?.presence ?? {}).includes(true);
  }

  #rowOf(id: string): MachineRow | undefined {
    return this.#coordinator.machines().find(({ machine }) => machine.id === id);
  }
}

/** Before a machine is spoken with: what waits for it goes first. Where nothing waits nobody is connected to. */
export async function bringWaiting(places: Pick<Places, "remoteDir">, machine: string): Promise<void> {
  const waits = (await waitingItems(places)).some((item) => item.machine === machine && !isOver(item));
  if (!waits) return;
  const outbox = await DeviceOutbox.open({ places });
  try {
    await outbox.settle(machine);
  } finally {
    await outbox.close();
  }
}

const busy = (timeoutMs: number): WarrenError =>
  new WarrenError(
    "OUTBOX_BUSY",
    `Another command has been bringing requests on their way for ${timeoutMs / 1_000} s.`,
    {
      fix: "warren outbox      # shows what waits; then try again",
    },
  );
