import { type ReactNode, useId, useState } from "react";
import { FONT_PX, type SettingName, type SettingValues } from "../model/settings.ts";
import { isOfThisBrowser } from "../model/shared-settings.ts";
import { useSetSetting, useSettings } from "./settings.tsx";

/** What a person may choose; it counts at once, and nothing has to be saved. Each says where it counts. */
export function SettingsPage(): ReactNode {
  return (
    <div className="scroll settings">
      <h1>Settings</h1>
      <section aria-labelledby="settings-where">
        <h2 id="settings-where" className="unseen">
          Where they count
        </h2>
        <Flag
          name="everywhere"
          label="Keep the same on all my devices"
          hint="What says everywhere goes sealed to your machines, and from them to your other devices; a hub reads none of it. Off: nothing is sent or taken."
        />
      </section>
      <section aria-labelledby="settings-look">
        <h2 id="settings-look">Look</h2>
        <Choice
          name="appearance"
          label="Colours"
          choices={[
            ["system", "As the system"],
            ["dark", "Dark"],
            ["light", "Light"],
          ]}
        />
        <Choice
          name="order"
          label="Order of the list"
          hint="Whoever needs you comes first in each."
          choices={[
            ["project", "Project"],
            ["name", "Name"],
            ["recent", "Latest first"],
          ]}
        />
      </section>
      <section aria-labelledby="settings-terminal">
        <h2 id="settings-terminal">Terminal</h2>
        <FontSize />
        <Choice
          name="keyBar"
          label="Bar of keys below it"
          choices={[
            ["touch", "On touch screens"],
            ["always", "Always"],
            ["never", "Never"],
          ]}
        />
      </section>
      <section aria-labelledby="settings-attention">
        <h2 id="settings-attention">When somebody needs you</h2>
        <Flag name="sounds" label="A short tone" />
        <Notifications />
        <Flag
          name="confirmApprove"
          label="Ask once more before an agent is allowed something"
          hint="To say no is never asked twice."
        />
      </section>
      <section aria-labelledby="settings-new">
        <h2 id="settings-new">New sessions</h2>
        <Directory />
      </section>
    </div>
  );
}

type NameOf<T> = { [N in SettingName]: SettingValues[N] extends T ? N : never }[SettingName];

function Choice<N extends "appearance" | "order" | "keyBar">({
  name,
  label,
  hint,
  choices,
}: {
  name: N;
  label: string;
  hint?: string;
  choices: readonly (readonly [SettingValues[N], string])[];
}): ReactNode {
  const value = useSettings()[name];
  const set = useSetSetting();
  return (
    <fieldset className="setting">
      <legend>
        {label} <Where name={name} />
      </legend>
      <div className="segments">
        {choices.map(([one, words]) => (
          <label key={one}>
            <input type="radio" name={name} checked={value === one} onChange={() => set(name, one)} />
            <span>{words}</span>
          </label>
        ))}
      </div>
      {hint !== undefined && <p className="project">{hint}</p>}
    </fieldset>
  );
}

function Flag({ name, label, hint }: { name: NameOf<boolean>; label: string; hint?: string }): ReactNode {
  const isOn = useSettings()[name];
  const set = useSetSetting();
  return <Switch name={name} label={label} hint={hint} isOn={isOn} onChange={(next) => set(name, next)} />;
}

function Switch({
  name,
  label,
  hint,
  isOn,
  onChange,
}: {
  name: SettingName;
  label: string;
  hint?: string | undefined;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}): ReactNode {
  const id = useId();
  return (
    <div className="setting">
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          checked={isOn}
          aria-checked={isOn}
          aria-describedby={hint === undefined ? undefined : id}
          onChange={({ target }) => onChange(target.checked)}
        />
        <span>
          {label} <Where name={name} />
        </span>
      </label>
      {hint !== undefined && (
        <p id={id} className="project">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Where a setting counts: on all devices of the person, or here alone. The switch for that speaks for itself. */
function Where({ name }: { name: SettingName }): ReactNode {
  const { everywhere } = useSettings();
  if (name === "everywhere") return null;
  return <small className="where">{everywhere && !isOfThisBrowser(name) ? "everywhere" : "this browser"}</small>;
}

/** The browser asks the person itself, once; a no there can be taken back in the browser's own settings alone. */
function Notifications(): ReactNode {
  const { notifications } = useSettings();
  const set = useSetSetting();
  const [permission, setPermission] = useState(() => ("Notification" in window ? Notification.permission : "denied"));
  const change = async (isOn: boolean): Promise<void> => {
    if (!isOn) return set("notifications", false);
    const answer = permission === "granted" ? permission : await Notification.requestPermission();
    setPermission(answer);
    set("notifications", answer === "granted");
  };
  if (!("Notification" in window)) return <p className="project">This browser has no notifications for pages.</p>;
  return (
    <Switch
      name="notifications"
      label="A notification, while the page is not seen"
      hint={
        permission === "denied"
          ? "The browser refuses notifications of this page; its own settings of the page can allow them."
          : "While the app is open in a tab, or installed and open."
      }
      isOn={notifications && permission === "granted"}
      onChange={(isOn) => void change(isOn).catch(() => setPermission("denied"))}
    />
  );
}

function FontSize(): ReactNode {
  const { terminalFontPx } = useSettings();
  const set = useSetSetting();
  const shownPx = terminalFontPx === 0 ? 14 : terminalFontPx;
  const step = (by: number): void =>
    set("terminalFontPx", Math.min(FONT_PX.most, Math.max(FONT_PX.least, shownPx + by)));
  return (
    <fieldset className="setting">
      <legend>
        Size of the letters <Where name="terminalFontPx" />
      </legend>
      <div className="stepper">
        <button type="button" aria-label="Smaller" disabled={shownPx <= FONT_PX.least} onClick={() => step(-1)}>
          −
        </button>
        <output aria-live="polite">{terminalFontPx === 0 ? "By the width" : `${terminalFontPx} px`}</output>
        <button type="button" aria-label="Larger" disabled={shownPx >= FONT_PX.most} onClick={() => step(1)}>
          +
        </button>
        {terminalFontPx !== 0 && (
          <button type="button" className="quiet" onClick={() => set("terminalFontPx", 0)}>
            By the width
          </button>
        )}
      </div>
      <p className="project">In a terminal two fingers change it for the moment.</p>
    </fieldset>
  );
}

function Directory(): ReactNode {
  const { defaultDirectory } = useSettings();
  const set = useSetSetting();
  return (
    <label className="setting">
      <span>
        Directory, unless another is given <Where name="defaultDirectory" />
      </span>
      <input
        value={defaultDirectory}
        placeholder="~"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        maxLength={1_000}
        onChange={({ target }) => set("defaultDirectory", target.value)}
      />
    </label>
  );
}
