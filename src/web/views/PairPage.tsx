import { type FormEvent, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import type { PairState } from "../../client/remote/pair.ts";
import { plural } from "../model/text.ts";
import { browserName, type OnlyHub, type PairFlow, type PairView } from "../store/pair-flow.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { Facts } from "./Facts.tsx";
import { Fingerprint } from "./Fingerprint.tsx";
import { NoMachine } from "./NoMachine.tsx";
import { ScanCode } from "./ScanCode.tsx";
import { useApp, useTick } from "./world.ts";

/** Lets this browser in at a machine, by the code that the machine shows: first the code, then what it says and whether that is wanted, then the check at both ends. */
export function PairPage(): ReactNode {
  const { pairing } = useApp();
  return pairing ? <Pairing pairing={pairing} /> : <NoMachine />;
}

function Pairing({ pairing }: { pairing: PairFlow }): ReactNode {
  const view = useSyncExternalStore(pairing.subscribe, pairing.get);
  return (
    <div className="scroll pair">
      <h1>Pair with a machine</h1>
      {view.kind === "card" ? (
        <Card pairing={pairing} view={view} />
      ) : view.kind === "joined" ? (
        <Joined pairing={pairing} view={view} />
      ) : (
        <>
          {view.kind === "refused" && <Refused pairing={pairing} view={view} />}
          <GiveCode pairing={pairing} />
        </>
      )}
    </div>
  );
}

function GiveCode({ pairing }: { pairing: PairFlow }): ReactNode {
  const [text, setText] = useState("");
  const read = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== "") void pairing.read(text);
  };
  return (
    <>
      <p>On the machine, in a terminal; it shows a code for two minutes:</p>
      <CopyCommand command={`warren pair --hub ${location.origin}`} />
      <ScanCode onCode={(code) => void pairing.read(code)} />
      <form className="form" onSubmit={read}>
        <label>
          Or paste its link
          <textarea
            value={text}
            rows={3}
            placeholder="https://…/#p=… or warren://pair?…"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={({ target }) => setText(target.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={text.trim() === ""}>
          Read the code
        </button>
      </form>
    </>
  );
}

function Refused({ pairing, view }: { pairing: PairFlow; view: Extract<PairView, { kind: "refused" }> }): ReactNode {
  const { error, through } = view;
  return (
    <div className="card" role="alert">
      <p className="tone-bad">✗ {error.message}</p>
      {error.fix !== undefined && !through && <p>{error.fix}</p>}
      {through && <Through pairing={pairing} through={through} />}
    </div>
  );
}

/** Never without being asked: the person says whether it is that one. */
function Through({ pairing, through }: { pairing: PairFlow; through: OnlyHub }): ReactNode {
  const { label, fingerprint, address, isItsCode } = through;
  if (isItsCode)
    return (
      <>
        <p>
          It is a code of the one hub that is known here, <b>{label}</b>, and lacks its address alone.
        </p>
        <button type="button" onClick={() => void pairing.readThrough(fingerprint)}>
          Pair through {label}
        </button>
      </>
    );
  return (
    <>
      <p>
        One hub is known here: <b>{label}</b>. For a code that goes through it, on the machine:
      </p>
      <CopyCommand command={`warren pair --hub ${address}`} />
    </>
  );
}

function Card({ pairing, view }: { pairing: PairFlow; view: Extract<PairView, { kind: "card" }> }): ReactNode {
  const { card, state } = view;
  const [name, setName] = useState(() => browserName(navigator.userAgent).name);
  const leftSeconds = Math.max(0, Math.floor(card.code.expires - useTick() / 1_000));
  const host = new URL(card.code.address).host;
  return (
    <section className="card" aria-label="What this code asks">
      <h2>{card.knownAs === undefined ? `Connecting to a new hub: ${host}` : `By the hub ${card.knownAs}`}</h2>
      <Facts
        facts={[
          ["Address", card.code.address],
          ["Fingerprint", <Fingerprint key="f" hex={card.hub} />],
          ["Lets this browser", card.code.scopes.join(", ")],
          ["The code ends", leftSeconds > 0 ? `in ${plural(leftSeconds, "second")}` : "now"],
        ]}
      />
      {state.kind === "read" ? (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            void pairing.connect(name.trim() || "browser");
          }}
        >
          {card.knownAs === undefined && (
            <p>
              Compare the fingerprint with what <code>warren pair</code> says on the machine. Nothing was sent yet; the
              hub will read nothing.
            </p>
          )}
          <label>
            This browser is called
            <input value={name} maxLength={60} onChange={({ target }) => setName(target.value)} />
          </label>
          <div className="actions">
            <button type="submit" className="primary">
              Connect
            </button>
            <button type="button" onClick={() => pairing.cancel()}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        <Progress state={state} onCancel={() => pairing.cancel()} />
      )}
    </section>
  );
}

function Progress({ state, onCancel }: { state: PairState; onCancel: () => void }): ReactNode {
  const check = "check" in state ? state.check : undefined;
  return (
    <div aria-live="polite">
      {check !== undefined && (
        <p className="check">
          <span>The check, the same at both ends:</span> <output>{check}</output>
        </p>
      )}
      <p className="words">◐ {WORDS[state.kind] ?? ""}</p>
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}

const WORDS: Partial<Record<PairState["kind"], string>> = {
  finding: "Asking the hub who it is.",
  connecting: "Connecting to the hub.",
  shaking: "Looking for the machine behind the code.",
  proving: "The machine and this browser show each other who they are.",
  shown: "If the machine shows the same check, say yes there.",
  keeping: "The machine has said yes; it is written down here.",
};

function Joined({ pairing, view }: { pairing: PairFlow; view: Extract<PairView, { kind: "joined" }> }): ReactNode {
  const { machine, hub } = view;
  useEffect(() => () => pairing.cancel(), [pairing]); // the next one begins anew
  return (
    <section className="card" aria-label="Joined">
      <h2 className="tone-good">✓ Joined {machine.words || machine.name}</h2>
      <p>
        By the hub {hub.label}. This browser may {machine.scopes.join(", ")} there. To end it, on the machine:{" "}
        <code>warren devices revoke</code>
      </p>
      <a className="button primary" href="#/">
        All units
      </a>
    </section>
  );
}
