import { type FormEvent, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import type { FleetHub } from "../model/fleet.ts";
import { USUAL_SCOPES } from "../model/machine-devices.ts";
import { LOCAL } from "../model/rows.ts";
import { IntroduceFlow, type IntroduceView } from "../store/introduce-flow.ts";
import type { Remote } from "../store/remote.ts";
import { CodeCard } from "./CodeCard.tsx";
import { FormActions } from "./FormActions.tsx";
import { MeetingCard } from "./MeetingCard.tsx";
import { type ShownMachine, useMachines } from "./machines.ts";
import { ScopeChoice } from "./ScopeChoice.tsx";
import { useApp, useFleet } from "./world.ts";

/** Lets a device in at several machines by one code of this browser. There where it has the right admin on two or more that meet at one hub. */
export function IntroduceDevice(): ReactNode {
  const { remote } = useApp();
  const { hubs, machines: facts } = useFleet();
  const may = useMachines().filter(({ id, may }) => id !== LOCAL && may("admin"));
  const isAt = (hub: FleetHub) => may.filter(({ id }) => facts.get(id)?.hubs && hub.fingerprint in facts.get(id)!.hubs);
  const usable = hubs.map((hub) => ({ hub, machines: isAt(hub) })).filter(({ machines }) => machines.length > 1);
  const [first] = usable.toSorted((a, b) => b.machines.length - a.machines.length);
  return remote && first && <Introduce key={first.hub.fingerprint} remote={remote} {...first} />;
}

interface IntroduceProps {
  remote: Remote;
  /** The one at which most of them are met. */
  hub: FleetHub;
  machines: readonly ShownMachine[];
}

function Introduce({ remote, hub, machines }: IntroduceProps): ReactNode {
  const { version } = useApp();
  const [flow, setFlow] = useState<IntroduceFlow>();
  useEffect(() => {
    const made = new IntroduceFlow(remote, version);
    setFlow(made);
    return () => made.close();
  }, [remote, version]);
  return flow && <Shown flow={flow} hub={hub} machines={machines} />;
}

function Shown({ flow, hub, machines }: { flow: IntroduceFlow } & Omit<IntroduceProps, "remote">): ReactNode {
  const view = useSyncExternalStore(flow.subscribe, flow.get);
  const [isChoosing, setChoosing] = useState(false);
  const isOver = view.kind === "none" || view.kind === "joined" || view.kind === "ended";
  return (
    <section className="pairing" aria-label="Let a device in at several machines">
      <h2>Several machines at once</h2>
      <div aria-live="polite">
        <Told view={view} />
      </div>
      {view.kind === "offered" && <Code code={view} flow={flow} />}
      {view.kind === "met" && <Met met={view} flow={flow} />}
      {isOver &&
        (isChoosing ? (
          <Choose
            hub={hub}
            machines={machines}
            onBegin={(ids, scopes) => {
              setChoosing(false);
              void flow.begin(hub.fingerprint, ids, scopes);
            }}
            onCancel={() => setChoosing(false)}
          />
        ) : (
          <button type="button" onClick={() => setChoosing(true)}>
            Let a device in at several machines
          </button>
        ))}
    </section>
  );
}

function Told({ view }: { view: IntroduceView }): ReactNode {
  if (view.kind === "making") return <p className="words">Asking the hub for a code.</p>;
  if (view.kind === "ended") return <p className="words tone-attention">{view.text}</p>;
  if (view.kind === "asking")
    return (
      <p className="words">
        ◐ Asking {view.machines.join(", ")}; {view.words.length} of {view.machines.length} have answered. One that asks
        its person first takes as long as that.
      </p>
    );
  if (view.kind !== "joined") return null;
  const { candidate, joined, left } = view.result;
  return (
    <>
      <p className="tone-good">
        ✓ {candidate.name} joined {joined.map(({ name }) => name).join(", ")}
      </p>
      {left.map(({ machine, name, sentence }) => (
        <p key={machine} className="tone-attention">
          {name} has not let it in: {sentence}
        </p>
      ))}
    </>
  );
}

function Choose({
  hub,
  machines,
  onBegin,
  onCancel,
}: {
  hub: FleetHub;
  machines: readonly ShownMachine[];
  onBegin: (ids: readonly string[], scopes: typeof USUAL_SCOPES) => void;
  onCancel: () => void;
}): ReactNode {
  const [without, setWithout] = useState<ReadonlySet<string>>(new Set());
  // Nobody gives what it does not have: the machines would refuse it.
  const [scopes, setScopes] = useState(() => USUAL_SCOPES.filter((scope) => machines.every(({ may }) => may(scope))));
  const chosen = machines.filter(({ id }) => !without.has(id));
  const begin = (event: FormEvent): void => {
    event.preventDefault();
    onBegin(
      chosen.map(({ id }) => id),
      scopes,
    );
  };
  const choose = (id: string, isChosen: boolean): void =>
    setWithout(new Set(isChosen ? [...without].filter((one) => one !== id) : [...without, id]));
  return (
    <form className="form card" onSubmit={begin}>
      <fieldset className="kinds column">
        <legend>At which machines, through the hub {hub.label}</legend>
        {machines.map(({ id, name, isLive }) => (
          <label key={id}>
            <input type="checkbox" checked={!without.has(id)} onChange={({ target }) => choose(id, target.checked)} />
            <span>
              <b>{name}</b>
              {!isLive && <span className="tone-attention"> ◌ not there now: it would be left out</span>}
            </span>
          </label>
        ))}
      </fieldset>
      <ScopeChoice legend="What the device may do" scopes={scopes} onChange={setScopes} />
      <FormActions isDisabled={chosen.length === 0} onCancel={onCancel}>
        Show a code
      </FormActions>
    </form>
  );
}

function Code({ code, flow }: { code: Extract<IntroduceView, { kind: "offered" }>; flow: IntroduceFlow }): ReactNode {
  return (
    <CodeCard code={code} onForget={() => flow.cancel()}>
      It lets one device in at <b>{code.machines.join(", ")}</b> through {code.hub}, with {code.scopes.join(", ")}
    </CodeCard>
  );
}

function Met({ met, flow }: { met: Extract<IntroduceView, { kind: "met" }>; flow: IntroduceFlow }): ReactNode {
  const { candidate, machines, scopes } = met;
  return (
    <MeetingCard candidate={candidate} onYes={() => flow.confirm()} onNo={() => flow.cancel()}>
      {" "}
      wants to steer {machines.join(", ")}, with {scopes.join(", ")}
    </MeetingCard>
  );
}
