import type { RemoteClock } from "../../contact/network.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { decodeResult } from "../../sealing/request.ts";
import { decodeSettings } from "../../sealing/settings-text.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxItem, OutboxStore } from "./outbox-item.ts";
import { type Connections, outboxWays } from "./outbox-ways.ts";
import { RecordReader } from "./record-reader.ts";
import type { RecordRow, RecordStore } from "./record-store.ts";
import type { Refusals } from "./refusals.ts";
import type { RemoteEvent } from "./remote-events.ts";
import type { DeviceKeys, HubEntry, MachineEntry } from "./world.ts";

/** What a coordinator's hubs have for its machines' records, and its outbox for both: each told by the same events. */
export interface DeviceSides extends Omit<Connections, "refusalOf"> {
  keys: DeviceKeys;
  crypto: SealingCrypto;
  clock: RemoteClock;
  records?: RecordStore;
  refusals: Refusals;
  machines(): readonly MachineEntry[];
  outbox(): Outbox | undefined;
  tell(event: RemoteEvent): void;
  save(saved: Promise<void>): void;
}

/** Undefined: records are not read. */
export async function openReader(
  { fingerprint: hub, login }: HubEntry,
  sides: DeviceSides,
): Promise<RecordReader | undefined> {
  const { records: store, keys, crypto, machines, hubOf, refusals, tell } = sides;
  if (!store) return undefined;
  return RecordReader.open({
    hub,
    loginKey: login.publicKey,
    keys,
    store,
    crypto,
    machines,
    took: (place) => hubOf(hub)?.took(place),
    events: {
      onRow: (row) => tell(settingsEvent(row, sides) ?? { kind: "record", row }),
      onResult: (row) => onResult(row, sides),
      onPeriod: (machine) =>
        void sides
          .outbox()
          ?.flush(machine)
          .catch(() => {}), // what waits goes with the next change
      onGap: (gap) => tell({ kind: "gap", hub, gap }),
      onMended: (mended) => tell({ kind: "mended", hub, ...mended }),
      onListed: (listed) => tell({ kind: "listed", hub, ...listed }),
      onExcluded: (machine, isExcluded) => refusals.excluded(machine, hub, isExcluded),
      onRefused: () => {}, // it is not its machine's, or not for this device: as if it had not come
    },
  });
}

export function openOutbox(store: OutboxStore, sides: DeviceSides): Promise<Outbox> {
  const { keys, crypto, clock, refusals, tell } = sides;
  const ways = outboxWays({ ...sides, refusalOf: (machine) => refusals.of(machine)?.error });
  const onChange = (item: OutboxItem): void => tell({ kind: "item", item });
  return Outbox.open({ store, signer: keys.signing, crypto, clock, ways, onChange });
}

/** Undefined: it is something else. */
function settingsEvent({ kind, machine, text }: RecordRow, { clock }: DeviceSides): RemoteEvent | undefined {
  const settings = kind === RECORD_KINDS.state ? decodeSettings(text, clock.wallMs()) : undefined;
  return settings && { kind: "settings", machine, settings };
}

async function onResult(row: RecordRow, { outbox }: DeviceSides): Promise<void> {
  try {
    await outbox()?.onResult(row.machine, decodeResult(row.text));
  } catch (error) {
    if (!isWarrenError(error, "FORM_INVALID")) throw error; // of a newer machine: the item stays as it is
  }
}
