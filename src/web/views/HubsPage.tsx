import { type FormEvent, type ReactNode, useState } from "react";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import type { Fleet, FleetHub } from "../model/fleet.ts";
import { hubAddress, hubWords, lastUsed } from "../model/hub-words.ts";
import { LOCAL } from "../model/rows.ts";
import { plural } from "../model/text.ts";
import type { KnownHubs } from "../store/known-hubs.ts";
import type { FoundHub } from "../store/remote-facts.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { Facts } from "./Facts.tsx";
import { Fingerprint } from "./Fingerprint.tsx";
import { NoMachine } from "./NoMachine.tsx";
import { useApp, useDo, useFleet, useNow } from "./world.ts";

/** The hubs of this browser: which is connected, why one is not, what goes through it; and another one. */
export function HubsPage(): ReactNode {
  const { remote } = useApp();
  const fleet = useFleet();
  if (!remote) return <NoMachine />;
  return (
    <div className="scroll hub-list">
      <div className="title">
        <h1>Hubs</h1>
        {fleet.hubs.length > 0 && (
          <button type="button" onClick={() => remote.askAll()}>
            Ask all
          </button>
        )}
        <a className="button" href="#/pair">
          Pair with a machine
        </a>
      </div>
      {fleet.hubs.length === 0 && (
        <p className="empty">
          By a hub this browser reaches machines that are elsewhere. It passes on what is sealed, and reads nothing. The
          first one comes with the first pairing.
        </p>
      )}
      <ul className="cards">
        {fleet.hubs.map((hub) => (
          <HubCard key={hub.fingerprint} hub={hub} fleet={fleet} hubs={remote.hubs} />
        ))}
      </ul>
      <AddHub hubs={remote.hubs} />
    </div>
  );
}

function HubCard({ hub, fleet, hubs }: { hub: FleetHub; fleet: Fleet; hubs: KnownHubs }): ReactNode {
  const nowMs = useNow();
  const [over, setOver] = useState<{ is: "rename" } | { is: "delete"; unsent: readonly OutboxItem[] }>();
  const perform = useDo();
  const askToDelete = (): Promise<boolean> =>
    perform(undefined, async () => setOver({ is: "delete", unsent: await hubs.unsentOf(fingerprint) }));
  const machines = [...fleet.machines.values()].filter((machine) => hub.fingerprint in machine.hubs);
  const { glyph, text, tone, why, fix } = hubWords(hub, machines.length);
  const { fingerprint, label, isOff } = hub;
  return (
    <li className="card">
      <h2>{label}</h2>
      <p className={`tone-${tone}`} aria-live="polite">
        <span aria-hidden="true">{glyph}</span> {text}
      </p>
      {why !== undefined && <p className="why">{why}</p>}
      {fix !== undefined && <CopyCommand command={fix} />}
      <Facts
        facts={[
          ["Address", hub.addresses.join(", ")],
          ["Fingerprint", <Fingerprint key="f" hex={fingerprint} />],
          ["Machines", machines.map(({ name }) => name).join(", ") || "none"],
          ["Last used", lastUsed(hub, nowMs)],
        ]}
      />
      {over?.is === "rename" ? (
        <Rename
          label={label}
          onDone={(name) => {
            setOver(undefined);
            if (name !== undefined) void perform(`It is called ${name} now`, () => hubs.rename(fingerprint, name));
          }}
        />
      ) : over?.is === "delete" ? (
        <Delete hub={hub} unsent={over.unsent} fleet={fleet} hubs={hubs} onDone={() => setOver(undefined)} />
      ) : (
        <div className="actions">
          {isOff && machines.length > 0 && (
            <button type="button" onClick={() => void perform(undefined, () => hubs.connect(fingerprint))}>
              Connect
            </button>
          )}
          {!isOff && hub.state.kind !== "ready" && (
            <button type="button" onClick={() => void perform(undefined, () => hubs.connect(fingerprint))}>
              Try now
            </button>
          )}
          {!isOff && (
            <button
              type="button"
              onClick={() =>
                void perform(`${label} is disconnected; what is known stays`, () => hubs.disconnect(fingerprint))
              }
            >
              Disconnect
            </button>
          )}
          <button type="button" onClick={() => setOver({ is: "rename" })}>
            Rename
          </button>
          <button type="button" className="danger" onClick={() => void askToDelete()}>
            Delete
          </button>
        </div>
      )}
    </li>
  );
}

function Rename({ label, onDone }: { label: string; onDone: (label: string | undefined) => void }): ReactNode {
  const [name, setName] = useState(label);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(name.trim() || undefined);
      }}
    >
      <label>
        Name
        <input value={name} maxLength={60} required onChange={({ target }) => setName(target.value)} />
      </label>
      <div className="actions">
        <button type="submit" className="primary">
          Rename
        </button>
        <button type="button" onClick={() => onDone(undefined)}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** Says before what goes with it. */
function Delete({
  hub: { fingerprint, label },
  unsent,
  fleet,
  hubs,
  onDone,
}: {
  hub: FleetHub;
  /** Requests that nobody has carried out yet. */
  unsent: readonly OutboxItem[];
  fleet: Fleet;
  hubs: KnownHubs;
  onDone: () => void;
}): ReactNode {
  const perform = useDo();
  const lost = [...fleet.machines.values()].filter(
    ({ id, hubs }) => id !== LOCAL && fingerprint in hubs && Object.keys(hubs).length === 1,
  );
  return (
    <div role="alertdialog" aria-label={`Delete ${label}`}>
      <p>
        Its key, its address and what came by it are removed from this browser.{" "}
        {lost.length > 0 &&
          `${lost.map(({ name }) => name).join(", ")} ${lost.length === 1 ? "is" : "are"} met nowhere else, and ${lost.length === 1 ? "goes" : "go"} with it; what runs there keeps running. `}
      </p>
      {unsent.length > 0 && (
        <>
          <p className="tone-bad">
            ✗ {plural(unsent.length, "request")} that nobody has carried out yet would be lost:
          </p>
          <ul className="history">
            {unsent.slice(0, UNSENT_SHOWN).map(({ id, type, machine }) => (
              <li key={id}>
                {type} · {fleet.machines.get(machine)?.name ?? "a machine"}
              </li>
            ))}
            {unsent.length > UNSENT_SHOWN && <li>and {unsent.length - UNSENT_SHOWN} more</li>}
          </ul>
        </>
      )}
      <div className="actions">
        <button
          type="button"
          className="danger"
          onClick={() => void perform(`${label} is deleted`, () => hubs.remove(fingerprint))}
        >
          Delete {label}
        </button>
        <button type="button" onClick={onDone}>
          Keep it
        </button>
      </div>
    </div>
  );
}

const UNSENT_SHOWN = 5;

/** By its address; nothing is kept before the fingerprint was looked at. */
function AddHub({ hubs }: { hubs: KnownHubs }): ReactNode {
  const [text, setText] = useState("");
  const [found, setFound] = useState<FoundHub>();
  const [isAsking, setAsking] = useState(false);
  const perform = useDo();
  const ask = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setAsking(true);
    await perform(undefined, async () => setFound(await hubs.find(hubAddress(text), new AbortController().signal)));
    setAsking(false);
  };
  const add = async (hub: FoundHub): Promise<void> => {
    const done = hub.knownAs === undefined ? `${hub.label} is known here now` : `${hub.knownAs} has another address`;
    if (!(await perform(done, () => hubs.add(hub)))) return;
    setFound(undefined);
    setText("");
  };
  if (found)
    return (
      <section className="card" aria-label="The hub at this address">
        <h2>
          {found.knownAs === undefined ? `A new hub: ${found.label}` : `This is ${found.knownAs}, which is known`}
        </h2>
        <Facts
          facts={[
            ["Address", found.address],
            ["Fingerprint", <Fingerprint key="f" hex={found.fingerprint} />],
          ]}
        />
        <p>
          Compare it with what <code>warren hub status</code> shows on the hub.
        </p>
        <div className="actions">
          <button type="button" className="primary" onClick={() => void add(found)}>
            {found.knownAs === undefined ? "It is the same: add" : "Add this address"}
          </button>
          <button type="button" onClick={() => setFound(undefined)}>
            Cancel
          </button>
        </div>
      </section>
    );
  return (
    <form className="form" onSubmit={(event) => void ask(event)}>
      <label>
        Add a hub, or another address of one
        <input
          value={text}
          inputMode="url"
          placeholder="https://home.example"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <button type="submit" disabled={isAsking || text.trim() === ""}>
        {isAsking ? "Asking who it is …" : "Look"}
      </button>
    </form>
  );
}
