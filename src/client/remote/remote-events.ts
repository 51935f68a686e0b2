import type { HubState } from "../../contact/standing-contact.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { OutboxItem } from "./outbox-item.ts";
import type { RecordGap, RecordRow } from "./record-store.ts";
import type { MachineRefusal } from "./refusals.ts";
import type { HubEntry, MachineEntry } from "./world.ts";

/** What the coordinator shows: its hubs and machines as rows, and what changes. */
export interface HubRow {
  entry: HubEntry;
  state: HubState;
}

export interface MachineRow {
  machine: MachineEntry;
  /** The hub by which a live session stands. */
  liveHub: string | undefined;
  /** What each of its hubs says; a hub that is not connected says nothing. */
  presence: Readonly<Record<string, boolean>>;
  /** It lets this device in no more: a person has to pair anew. Undefined: nobody says so. */
  refusal: MachineRefusal | undefined;
}

export type RemoteEvent =
  | { kind: "hub"; hub: string; state: HubState }
  | { kind: "hub_removed"; hub: string }
  | { kind: "machine"; id: string }
  | { kind: "machine_removed"; id: string }
  | { kind: "item"; item: OutboxItem }
  | { kind: "record"; row: RecordRow }
  /** The app's settings, as the machine has them. */
  | { kind: "settings"; machine: string; settings: Settings }
  | { kind: "gap"; hub: string; gap: RecordGap }
  /** That gap, a `behind`, counts no more. */
  | { kind: "mended"; hub: string; machine: string; stream: string }
  /** The machine's units in other streams of this hub are gone. */
  | { kind: "listed"; hub: string; machine: string; streams: ReadonlySet<string> }
  /** A machine lets this device in no more, or does so again; `machine` and, for what waits for it, `item` come besides. */
  | { kind: "refused"; id: string; refusal: MachineRefusal | undefined };
