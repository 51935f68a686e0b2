import { type FormEvent, type ReactNode, useState } from "react";
import type { HubLook, RemoteHub } from "../../protocol/remote-units.ts";
import type { MachineDevices } from "../model/machine-devices.ts";
import type { DevicesFeed } from "../store/devices-feed.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { FormActions } from "./FormActions.tsx";
import { useDo } from "./world.ts";

/** The hubs at which a machine can be met, and how it becomes a member of another. */
interface HubsProps {
  known: MachineDevices;
  feed: DevicesFeed;
  mayChange: boolean;
  machine: string;
}

export function MachineHubs({ known: { hubs }, feed, mayChange, machine }: HubsProps): ReactNode {
  const [isAdding, setAdding] = useState(false);
  return (
    <section className="hubs" aria-label={`Hubs of ${machine}`}>
      <h3>Hubs of {machine}</h3>
      {hubs.length === 0 && (
        <div className="words column">
          <p>
            A device comes through a hub, which passes on and reads nothing. One can run here or on any machine of
            yours:
          </p>
          <CopyCommand command="warren hub" />
        </div>
      )}
      <ul className="history">
        {hubs.map((hub) => (
          <Hub key={hub.fingerprint} hub={hub} />
        ))}
      </ul>
      {mayChange &&
        (isAdding ? (
          <AddHub feed={feed} machine={machine} onOver={() => setAdding(false)} />
        ) : (
          <button type="button" onClick={() => setAdding(true)}>
            Join a hub
          </button>
        ))}
    </section>
  );
}

const STATES: Readonly<Record<RemoteHub["state"], { text: string; tone: string }>> = {
  ready: { text: "○ connected", tone: "quiet" },
  connecting: { text: "◐ connecting", tone: "live" },
  waiting: { text: "◌ not reached; dialled again by itself", tone: "attention" },
  refused: { text: "✗ refused", tone: "bad" },
  off: { text: "◌ off", tone: "quiet" },
};

function Hub({ hub: { label, addresses, fingerprint, state, error, fix } }: { hub: RemoteHub }): ReactNode {
  const { text, tone } = STATES[state] ?? STATES.off;
  return (
    <li>
      <b>{label}</b> <span className={`tone-${tone}`}>{text}</span> <span className="project">{addresses[0]}</span>
      <p className="project fingerprint">{fingerprint}</p>
      {error !== undefined && state !== "ready" && <p className="tone-attention">{error}</p>}
      {fix !== undefined && state !== "ready" && <CopyCommand command={fix} />}
    </li>
  );
}

/** First it is looked who is there, and nothing is given; then the person says that it is the one that is meant. */
function AddHub({ feed, machine, onOver }: { feed: DevicesFeed; machine: string; onOver: () => void }): ReactNode {
  const [address, setAddress] = useState("");
  const [invitation, setInvitation] = useState("");
  const [look, setLook] = useState<HubLook>();
  const [isBusy, setBusy] = useState(false);
  const perform = useDo();
  const go = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    if (look === undefined)
      await perform(undefined, async () =>
        setLook(await feed.client.request("remote.look", { address: address.trim() })),
      );
    else if (await perform(`${look.label} is a hub of ${machine} now`, () => join(feed, look, invitation.trim())))
      onOver();
    setBusy(false);
  };
  return (
    <form className="form card" onSubmit={(event) => void go(event)}>
      <label>
        Address of the hub
        <input
          value={address}
          placeholder="https://home.example"
          inputMode="url"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          required
          readOnly={look !== undefined}
          onChange={({ target }) => setAddress(target.value)}
        />
      </label>
      {look !== undefined && <Look look={look} invitation={invitation} onInvitation={setInvitation} />}
      <FormActions isDisabled={isBusy} onCancel={onOver}>
        {look === undefined ? (isBusy ? "Looking …" : "Look who is there") : "It is the same: join"}
      </FormActions>
    </form>
  );
}

function Look({
  look: { label, address, fingerprint, is_known },
  invitation,
  onInvitation,
}: {
  look: HubLook;
  invitation: string;
  onInvitation: (text: string) => void;
}): ReactNode {
  return (
    <>
      <div aria-live="polite">
        <p>
          {is_known ? "Known already: " : "A new hub: "}
          <b>{label}</b> at {address}
        </p>
        <p className="fingerprint">{fingerprint}</p>
        <p className="project">
          Compare it with what <code>warren hub status</code> shows there. Nothing was sent to it yet.
        </p>
      </div>
      <label>
        <span>
          Invitation, where its owner is somebody else: <code>warren hub invite</code> there
        </span>
        <input
          value={invitation}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={({ target }) => onInvitation(target.value)}
        />
      </label>
    </>
  );
}

const join = (feed: DevicesFeed, { address, fingerprint }: HubLook, invitation: string): Promise<unknown> =>
  feed.client.request("remote.hub_add", { address, fingerprint, ...(invitation === "" ? {} : { invitation }) });
