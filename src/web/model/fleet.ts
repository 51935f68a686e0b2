import type { HubState } from "../../contact/standing-contact.ts";
import type { Home } from "./home.ts";
import { LOCAL, mergeRows, type Row, type RowMachine, rowsOf } from "./rows.ts";
import { when } from "./text.ts";

/** Everything that the app knows at the moment: machines with their homes, the hubs, and how this tab and this browser's store are. Pure. */
export interface Fleet {
  /** In the order in which they came. */
  machines: ReadonlyMap<string, FleetMachine>;
  hubs: readonly FleetHub[];
  tab: TabState;
  storage: StorageState;
  /** Every machine that this browser remembers is among `machines`, with all that is remembered of it. */
  isRemembered: boolean;
}

export interface FleetMachine {
  id: string;
  /** As it calls itself, and with the beginning of its key where another is called the same. */
  name: string;
  /** As it calls itself. */
  ownName: string;
  /** Who runs it, in its own words; undefined for the machine that serves this app. */
  words: string | undefined;
  /** What this browser may do there; undefined: everything. */
  scopes: readonly string[] | undefined;
  /** The fingerprints of the hubs at which it can be met, and what each says of it; undefined: it has not said. */
  hubs: Readonly<Record<string, boolean | undefined>>;
  /** The one by which it is spoken with now. */
  liveHub: string | undefined;
  /** It lets this browser in no more, and who says so: its own signed word, or its hubs alone, which may be wrong. */
  refusedBy?: "machine" | "hub" | undefined;
  /** Something is missing of what it has left at its hubs, so that what is known of it while it is away may not be all. */
  isIncomplete?: boolean;
  home: Home;
}

export interface FleetHub {
  fingerprint: string;
  label: string;
  /** The one that was used last first. */
  addresses: readonly string[];
  addedMs: number;
  usedMs: number | undefined;
  /** The person has disconnected it. */
  isOff: boolean;
  state: HubState;
}

/** What is known of a machine besides its home. */
export type MachineFacts = Omit<FleetMachine, "home" | "name">;

/** Of the tabs of a browser one speaks with the hubs. */
export type TabState = "starting" | "owner" | "other-tab";

/** `page`: the browser keeps nothing, so what is paired is forgotten with the page. `evicted`: it had kept something, and has dropped it. */
export type StorageState = { kind: "kept" } | { kind: "page" | "full" | "evicted"; text: string };

export type FleetAction =
  | { type: "machine"; machine: MachineFacts }
  | { type: "machine-gone"; id: string }
  | { type: "home"; id: string; home: Home }
  | { type: "hubs"; hubs: readonly FleetHub[] }
  | { type: "tab"; tab: TabState }
  | { type: "storage"; storage: StorageState }
  | { type: "remembered" };

export const EMPTY_FLEET: Fleet = {
  machines: new Map(),
  hubs: [],
  tab: "starting",
  storage: { kind: "kept" },
  isRemembered: false,
};

export function fleetReducer(emptyHome: Home): (fleet: Fleet, action: FleetAction) => Fleet {
  return (fleet, action) => {
    switch (action.type) {
      case "machine": {
        const home = fleet.machines.get(action.machine.id)?.home ?? emptyHome;
        const { id, ownName: name } = action.machine;
        return { ...fleet, machines: named(new Map(fleet.machines).set(id, { ...action.machine, name, home })) };
      }
      case "machine-gone": {
        const machines = new Map(fleet.machines);
        return machines.delete(action.id) ? { ...fleet, machines: named(machines) } : fleet;
      }
      case "home": {
        const known = fleet.machines.get(action.id);
        if (!known || known.home === action.home) return fleet;
        return { ...fleet, machines: new Map(fleet.machines).set(action.id, { ...known, home: action.home }) };
      }
      case "hubs":
        return { ...fleet, hubs: action.hubs };
      case "tab":
        return fleet.tab === action.tab ? fleet : { ...fleet, tab: action.tab };
      case "storage":
        return { ...fleet, storage: action.storage };
      case "remembered":
        return fleet.isRemembered ? fleet : { ...fleet, isRemembered: true };
    }
  };
}

/** No two are called the same. */
function named(machines: Map<string, FleetMachine>): Fleet["machines"] {
  const counts = new Map<string, number>();
  for (const { ownName } of machines.values()) counts.set(ownName, (counts.get(ownName) ?? 0) + 1);
  for (const [id, machine] of machines) {
    const isShared = (counts.get(machine.ownName) ?? 0) > 1;
    const name = isShared ? `${machine.ownName} ${id.slice(0, KEY_DIGITS)}` : machine.ownName;
    if (name !== machine.name) machines.set(id, { ...machine, name });
  }
  return machines;
}
const KEY_DIGITS = 4;

export const isLive = ({ home }: FleetMachine): boolean => home.way.kind === "live";

/** The label of the hub by which a machine is met; undefined where there is none, or nothing to tell apart. */
export function badgeOf({ machines, hubs }: Pick<Fleet, "machines" | "hubs">, id: string): string | undefined {
  const machine = machines.get(id);
  if (!machine || hubs.length < 2) return undefined;
  const fingerprint = machine.liveHub ?? Object.keys(machine.hubs).find((hub) => machine.hubs[hub] !== false);
  const known = fingerprint ?? Object.keys(machine.hubs)[0];
  return hubs.find((hub) => hub.fingerprint === known)?.label;
}

/** Rows of all machines; those of a machine that has not changed are not made again. */
export function rowsMaker(): (fleet: Pick<Fleet, "machines" | "hubs">) => Row[] {
  let made = new Map<string, { home: Home; facts: string; rows: Row[] }>();
  let last: { lists: readonly Row[][]; rows: Row[] } | undefined;
  return (fleet) => {
    const next: typeof made = new Map();
    for (const machine of fleet.machines.values()) {
      const about: RowMachine = {
        id: machine.id,
        name: fleet.machines.size > 1 ? machine.name : undefined,
        hub: badgeOf(fleet, machine.id),
        // A home alone says it once, above the list.
        isLive: isLive(machine) || (machine.id === LOCAL && fleet.machines.size === 1),
      };
      const facts = JSON.stringify(about);
      const known = made.get(machine.id);
      const isSame = known?.home === machine.home && known.facts === facts;
      next.set(machine.id, isSame ? known : { home: machine.home, facts, rows: rowsOf(machine.home, about) });
    }
    made = next;
    const lists = [...made.values()].map(({ rows }) => rows);
    if (last && last.lists.length === lists.length && last.lists.every((list, at) => list === lists[at]))
      return last.rows;
    last = { lists, rows: lists.length === 0 ? [] : mergeRows(lists) };
    return last.rows;
  };
}

/** What a row says of a machine that cannot be reached. */
export const freshness = (asOfMs: number, nowMs: number): string =>
  asOfMs === 0 ? "not confirmed yet" : `last confirmed ${when(asOfMs, nowMs)}`;
