import { type FormEvent, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import type { PairState } from "../../client/remote/pair.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { toHex } from "../../sealing/bytes.ts";
import type { Introducer } from "../../sealing/introducing.ts";
import { plural } from "../model/text.ts";
import { browserName, type OnlyHub, type PairFlow, type PairView } from "../store/pair-flow.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { Facts } from "./Facts.tsx";
import { Fingerprint } from "./Fingerprint.tsx";
import { NoMachine } from "./NoMachine.tsx";
import { pairCommand } from "./pair-command.ts";
import { ScanCode } from "./ScanCode.tsx";
import { useApp, useFleet, useTick } from "./world.ts";

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
  const { hubs } = useFleet();
  const [text, setText] = useState("");
  const read = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== "") void pairing.read(text);
  };
  return (
    <>
      <p>On the machine, in a terminal; it shows a code for two minutes:</p>
      <CopyCommand command={pairCommand(hubs)} />
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
      <CopyCommand command={`warren pair --hub ${quoteWord(address)}`} />
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
      {state.kind === "read" && leftSeconds === 0 ? (
        <Over onAgain={() => pairing.cancel()} />
      ) : state.kind === "read" ? (
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
      ) : state.kind === "asked" ? (
        <Introduced introducer={state.introducer} pairing={pairing} />
      ) : (
        <Progress state={state} onCancel={() => pairing.cancel()} />
      )}
    </section>
  );
}

/** Another device shows the code, and not a machine: to whom it introduces this browser, before anything of this one is said. */
function Introduced({ introducer, pairing }: { introducer: Introducer; pairing: PairFlow }): ReactNode {
  const { name, machines } = introducer;
  return (
    <div ref={focused} role="alertdialog" aria-label="Introduced to machines" tabIndex={-1}>
      <p>
        <b>{name}</b> introduces this browser to:
      </p>
      <ul>
        {machines.map((machine) => (
          <li key={toHex(machine.signingKey)}>
            <b>{machine.name}</b> {machine.words !== machine.name && machine.words}
          </li>
        ))}
      </ul>
      <p className="words">
        That these are the machines called so is the word of {name}. Nothing of this browser was said yet.
      </p>
      <div className="actions">
        <button type="button" className="primary" onClick={() => pairing.agree()}>
          Join {plural(machines.length, "machine")}
        </button>
        <button type="button" onClick={() => pairing.cancel()}>
          Cancel
        </button>
      </div>
    </div>
  );
}

/** What needs the person is where the keys are. */
const focused = (card: HTMLElement | null): void => card?.focus();

function Over({ onAgain }: { onAgain: () => void }): ReactNode {
  return (
    <div role="alert">
      <p className="tone-bad">✗ The time of this code is over. Nothing was sent.</p>
      <p>
        <code>warren pair</code>, on the machine, shows a new one.
      </p>
      <button type="button" onClick={onAgain}>
        Give another code
      </button>
    </div>
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
  agreed: "Both devices show each other who they are.",
  awaiting: "If the other device shows the same check, say yes there; then the machines are asked.",
  keeping: "The machine has said yes; it is written down here.",
};

function Joined({ pairing, view }: { pairing: PairFlow; view: Extract<PairView, { kind: "joined" }> }): ReactNode {
  const { machine, machines, left, hub } = view;
  useEffect(() => () => pairing.cancel(), [pairing]); // the next one begins anew
  return (
    <section className="card" aria-label="Joined">
      <h2 className="tone-good">✓ Joined {machines.map(({ words, name }) => words || name).join(", ")}</h2>
      {left.map(({ name, sentence }) => (
        <p key={sentence} className="tone-attention">
          {name} has not let this browser in: {sentence}
        </p>
      ))}
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
