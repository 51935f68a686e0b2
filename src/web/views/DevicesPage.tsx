import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { type MachineDevices, type MachineDevicesAction, NO_DEVICES, reduceDevices } from "../model/machine-devices.ts";
import { DevicesFeed } from "../store/devices-feed.ts";
import { Store } from "../store/store.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { DeviceCard } from "./DeviceCard.tsx";
import { IntroduceDevice } from "./IntroduceDevice.tsx";
import { MachineHubs } from "./MachineHubs.tsx";
import { MayNot } from "./MayNot.tsx";
import { type ShownMachine, useMachines } from "./machines.ts";
import { useOwnFingerprint } from "./own-fingerprint.ts";
import { PairThisMachine } from "./PairThisMachine.tsx";
import { WaitingDevices } from "./WaitingDevices.tsx";
import { useApp, useNow } from "./world.ts";

/** Of each machine, which devices may steer it; and how another one is let in. */
export function DevicesPage(): ReactNode {
  const machines = useMachines();
  return (
    <div className="scroll devices">
      <h1>Devices</h1>
      <p className="project">
        Phones, browsers and other machines' command lines that may steer a machine, each by its own key.
      </p>
      {machines.map((shown) => (
        <DevicesOfMachine key={shown.id} shown={shown} />
      ))}
      <IntroduceDevice />
    </div>
  );
}

interface Open {
  store: Store<MachineDevices, MachineDevicesAction>;
  feed: DevicesFeed;
}

function DevicesOfMachine({ shown }: { shown: ShownMachine }): ReactNode {
  const { version } = useApp();
  const { machine } = shown.place;
  const [open, setOpen] = useState<Open>();
  useEffect(() => {
    const store = new Store(NO_DEVICES, reduceDevices);
    const feed = new DevicesFeed({ machine, version, dispatch: store.dispatch });
    setOpen({ store, feed });
    return () => feed.close();
  }, [machine, version]);
  return open && <Known shown={shown} open={open} />;
}

function Known({ shown, open: { store, feed } }: { shown: ShownMachine; open: Open }): ReactNode {
  const { name, may } = shown;
  const known = useSyncExternalStore(store.subscribe, store.get);
  const nowMs = useNow();
  const isLive = known.state === "live";
  const mayChange = isLive && may("admin");
  const own = useOwnFingerprint();
  return (
    <section className="machine" aria-label={name} data-live={isLive}>
      <h2>{name === "this machine" ? "This machine" : name}</h2>
      {known.failed && <Failed {...known.failed} />}
      {known.state === "asking" && <p className="words">Asking {name} which devices it lets in.</p>}
      {mayChange && <WaitingDevices waiting={known.waiting} feed={feed} machine={name} />}
      {known.devices.length > 0 && (
        <ul className="cards" aria-label="Devices">
          {known.devices.map((device) => (
            <DeviceCard
              key={device.fingerprint}
              device={device}
              isThisBrowser={device.fingerprint === own}
              feed={feed}
              mayChange={mayChange}
              nowMs={nowMs}
            />
          ))}
        </ul>
      )}
      {isLive && known.devices.length === 0 && <p className="empty">No device may steer {name} so far.</p>}
      {mayChange && <PairThisMachine known={known} feed={feed} machine={name} />}
      {isLive && !may("admin") && (
        <MayNot
          machine={shown}
          scope="admin"
          what="change who may come in"
          browser={known.devices.find(({ fingerprint }) => fingerprint === own)?.name}
        />
      )}
      {isLive && <MachineHubs known={known} feed={feed} mayChange={mayChange} machine={name} />}
    </section>
  );
}

function Failed({ text, fix }: { text: string; fix: string | undefined }): ReactNode {
  return (
    <div role="alert">
      <p className="words tone-attention">◌ {text} What is shown is as of before; it is asked again by itself.</p>
      {fix !== undefined && <CopyCommand command={fix} />}
    </div>
  );
}
