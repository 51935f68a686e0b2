import { type FormEvent, type ReactNode, useState } from "react";
import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { revokedText } from "../model/machine-devices.ts";
import { age } from "../model/text.ts";
import type { DevicesFeed } from "../store/devices-feed.ts";
import { ScopeChoice } from "./ScopeChoice.tsx";
import { useApp, useDo } from "./world.ts";

type Doing = "nothing" | "rename" | "scopes" | "revoke";

/** One device: who it is, what it may, whether it is there; and what can be done about it. */
export function DeviceCard({
  device,
  isThisBrowser,
  feed,
  mayChange,
  nowMs,
}: {
  device: RemoteDevice;
  isThisBrowser: boolean;
  feed: DevicesFeed;
  mayChange: boolean;
  nowMs: number;
}): ReactNode {
  const [doing, setDoing] = useState<Doing>("nothing");
  const { name, platform, scopes, hubs, added_at, seen_at, is_connected, fingerprint, introduced_by } = device;
  const over = (): void => setDoing("nothing");
  return (
    <li className="card device" aria-label={name}>
      <p className="device-head">
        <b>{name}</b> <span className="kind">{platform}</span>
        {isThisBrowser && <span className="scope">this browser</span>}
        <span className={`device-state tone-${is_connected ? "live" : "quiet"}`}>
          {is_connected ? "◉ connected" : seen_at === undefined ? "◌ never seen" : "○ "}
          {!is_connected && seen_at !== undefined && (
            <>
              last seen <Time at={seen_at} nowMs={nowMs} />
            </>
          )}
        </span>
      </p>
      <p>
        <Scopes scopes={scopes} />
      </p>
      <p className="project">
        let in <Time at={added_at} nowMs={nowMs} />
        {introduced_by !== undefined && ` by the word of ${introduced_by}`}
        {hubs.length > 0 && ` · through ${hubs.join(", ")}`} ·{" "}
        <span title={fingerprint}>key {fingerprint.slice(0, 9)}</span>
      </p>
      {mayChange && doing === "nothing" && (
        <div className="actions">
          <button type="button" onClick={() => setDoing("rename")}>
            Rename
          </button>
          <button type="button" onClick={() => setDoing("scopes")}>
            Rights
          </button>
          <button type="button" className="danger" onClick={() => setDoing("revoke")}>
            Revoke
          </button>
        </div>
      )}
      {doing === "rename" && <Rename device={device} feed={feed} onOver={over} />}
      {doing === "scopes" && <Rights device={device} feed={feed} onOver={over} />}
      {doing === "revoke" && <Revoke device={device} isThisBrowser={isThisBrowser} feed={feed} onOver={over} />}
    </li>
  );
}

interface Change {
  device: RemoteDevice;
  feed: DevicesFeed;
  onOver: () => void;
}

function Rename({ device, feed, onOver }: Change): ReactNode {
  const [name, setName] = useState(device.name);
  const perform = useDo();
  const rename = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = name.trim();
    const work = () => feed.client.request("remote.rename", { device: device.name, name: wanted });
    if (wanted === device.name || (await perform(`${device.name} is called ${wanted} now`, work))) onOver();
  };
  return (
    <form className="form" onSubmit={(event) => void rename(event)}>
      <label>
        Name
        {/* biome-ignore lint/a11y/noAutofocus: the person has just asked for it */}
        <input value={name} autoFocus required maxLength={60} onChange={({ target }) => setName(target.value)} />
      </label>
      <div className="actions">
        <button type="submit" className="primary" disabled={name.trim() === ""}>
          Rename
        </button>
        <Cancel onOver={onOver} />
      </div>
    </form>
  );
}

function Rights({ device, feed, onOver }: Change): ReactNode {
  const [scopes, setScopes] = useState(device.scopes);
  const perform = useDo();
  const change = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const work = () => feed.client.request("remote.scopes", { device: device.name, scopes });
    if (await perform(`${device.name} may ${scopes.join(", ")}`, work)) onOver();
  };
  return (
    <form className="form" onSubmit={(event) => void change(event)}>
      <ScopeChoice legend={`What ${device.name} may do`} scopes={scopes} onChange={setScopes} />
      <p className="project">Its sessions end at once, and come back with these rights.</p>
      <div className="actions">
        <button type="submit" className="primary">
          Change rights
        </button>
        <Cancel onOver={onOver} />
      </div>
    </form>
  );
}

function Revoke({ device: { name }, isThisBrowser, feed, onOver }: Change & { isThisBrowser: boolean }): ReactNode {
  const { notes } = useApp();
  const perform = useDo();
  const [isBusy, setBusy] = useState(false);
  const revoke = async (): Promise<void> => {
    setBusy(true);
    const isDone = await perform(undefined, async () => {
      const text = revokedText(await feed.client.request("remote.revoke", { device: name }));
      notes.dispatch({ type: "say", note: { id: Math.random(), text, tone: "good" } });
    });
    setBusy(false);
    if (isDone) onOver();
  };
  const { ref, onKeyDown } = useAnswered(onOver);
  return (
    <div
      className="sure"
      role="alertdialog"
      aria-label={`Revoke ${name}`}
      aria-describedby={`revoke-${name}`}
      onKeyDown={onKeyDown}
    >
      <p id={`revoke-${name}`}>
        {isThisBrowser && "This is the browser that you are using: it is cut off at once, and has to pair anew. "}
        {name} is cut off within a second where it is connected, and at the next contact elsewhere. Every other device
        is told. What it has read stays read. It can come back by a new code alone.
      </p>
      <div className="actions">
        <button type="button" className="danger" disabled={isBusy} onClick={() => void revoke()}>
          {isBusy ? "Revoking …" : `Revoke ${name}`}
        </button>
        <button ref={ref} type="button" onClick={onOver}>
          Keep it
        </button>
      </div>
    </div>
  );
}

/** What cannot be taken back begins with the focus on no; esc is no too. */
function useAnswered(onNo: () => void): {
  ref: (button: HTMLButtonElement | null) => void;
  onKeyDown: (event: React.KeyboardEvent) => void;
} {
  const [ref] = useState(
    () =>
      (button: HTMLButtonElement | null): void =>
        button?.focus(),
  );
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onNo();
  };
  return { ref, onKeyDown };
}

const Cancel = ({ onOver }: { onOver: () => void }): ReactNode => (
  <button type="button" onClick={onOver}>
    Cancel
  </button>
);

const Time = ({ at, nowMs }: { at: string; nowMs: number }): ReactNode => {
  const ago = age(Date.parse(at), nowMs);
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {ago === "yesterday" ? ago : `${ago} ago`}
    </time>
  );
};

const Scopes = ({ scopes }: { scopes: RemoteDevice["scopes"] }): ReactNode => (
  <span className="scopes">
    <span className="unseen">may </span>
    {scopes.map((scope) => (
      <span key={scope} className={`scope ${scope === "admin" ? "tone-attention" : ""}`}>
        {scope}
      </span>
    ))}
  </span>
);
