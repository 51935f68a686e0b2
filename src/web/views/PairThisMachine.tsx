import { type FormEvent, type ReactNode, useState } from "react";
import { type MachineDevices, type OfferedCode, type Pairing, USUAL_SCOPES } from "../model/machine-devices.ts";
import type { DevicesFeed } from "../store/devices-feed.ts";
import { CodeCard } from "./CodeCard.tsx";
import { FormActions } from "./FormActions.tsx";
import { MeetingCard } from "./MeetingCard.tsx";
import { ScopeChoice } from "./ScopeChoice.tsx";
import { useDo } from "./world.ts";

/** Lets a device in: from the hub and the rights to give, by the code, to a person's yes. The same as `warren pair` in a terminal. */
interface PairProps {
  known: MachineDevices;
  feed: DevicesFeed;
  /** Its name, for words. */
  machine: string;
}

export function PairThisMachine({ known, feed, machine }: PairProps): ReactNode {
  const [isChoosing, setChoosing] = useState(false);
  const { pairing, hubs } = known;
  const begin = (hub: string, scopes: OfferedCode["scopes"]): void => {
    setChoosing(false);
    void feed.pair(hub, scopes);
  };
  if (hubs.length === 0) return null; // what is missing is said where hubs are
  return (
    <section className="pairing" aria-label="Let a device in">
      <div aria-live="polite">
        <Ended pairing={pairing} machine={machine} onRead={() => feed.forget()} />
        {pairing.kind === "making" && <p className="words">Asking the hub for a code.</p>}
      </div>
      {pairing.kind === "offered" && <Code code={pairing} feed={feed} />}
      {pairing.kind === "met" && <Met met={pairing} feed={feed} machine={machine} />}
      {(pairing.kind === "none" || pairing.kind === "joined" || pairing.kind === "ended") &&
        (isChoosing ? (
          <Choose known={known} onBegin={begin} onCancel={() => setChoosing(false)} />
        ) : (
          <button type="button" className="primary" onClick={() => setChoosing(true)}>
            Let a device in
          </button>
        ))}
    </section>
  );
}

function Choose({
  known: { hubs },
  onBegin,
  onCancel,
}: {
  known: MachineDevices;
  onBegin: (hub: string, scopes: OfferedCode["scopes"]) => void;
  onCancel: () => void;
}): ReactNode {
  const usable = hubs.find(({ state }) => state === "ready") ?? hubs[0]!;
  const [hub, setHub] = useState(usable.fingerprint);
  const [scopes, setScopes] = useState(USUAL_SCOPES);
  const begin = (event: FormEvent): void => {
    event.preventDefault();
    onBegin(hub, scopes);
  };
  return (
    <form className="form card" onSubmit={begin}>
      <fieldset className="kinds column">
        <legend>Through which hub</legend>
        {hubs.map(({ fingerprint, label, addresses, state }) => (
          <label key={fingerprint}>
            <input type="radio" name="hub" checked={hub === fingerprint} onChange={() => setHub(fingerprint)} />
            <span>
              <b>{label}</b> <span className="project">{addresses[0]}</span>
              {state !== "ready" && <span className="tone-attention"> ◌ not connected now</span>}
            </span>
          </label>
        ))}
      </fieldset>
      <ScopeChoice legend="What the device may do" scopes={scopes} onChange={setScopes} />
      <FormActions onCancel={onCancel}>Show a code</FormActions>
    </form>
  );
}

function Code({ code, feed }: { code: OfferedCode; feed: DevicesFeed }): ReactNode {
  return (
    <CodeCard code={code} onForget={() => void feed.cancel(code.id)}>
      It lets one device in through <b>{code.hub}</b>, with {code.scopes.join(", ")}
    </CodeCard>
  );
}

function Met({
  met,
  feed,
  machine,
}: {
  met: Extract<Pairing, { kind: "met" }>;
  feed: DevicesFeed;
  machine: string;
}): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const perform = useDo();
  const { candidate, scopes, id } = met;
  const confirm = async (): Promise<void> => {
    setBusy(true);
    await perform(undefined, () => feed.confirm(id)); // that it has joined is told by the stream
    setBusy(false);
  };
  return (
    <MeetingCard
      candidate={candidate}
      isBusy={isBusy}
      onYes={() => void confirm()}
      onNo={() => void feed.cancel(id, "The device was refused. Nothing was kept.")}
    >
      {candidate.known_as !== undefined && `, here already as ${candidate.known_as},`} wants to steer {machine}, with{" "}
      {scopes.join(", ")}
    </MeetingCard>
  );
}

function Ended({ pairing, machine, onRead }: { pairing: Pairing; machine: string; onRead: () => void }): ReactNode {
  if (pairing.kind !== "joined" && pairing.kind !== "ended") return null;
  const isIn = pairing.kind === "joined";
  return (
    <p className={`words ${isIn ? "tone-good" : "tone-attention"}`}>
      {isIn ? `✓ ${pairing.name} joined ${machine}` : `◼ ${pairing.text}`}
      <button type="button" className="quiet" aria-label="Put away" onClick={onRead}>
        ×
      </button>
    </p>
  );
}
