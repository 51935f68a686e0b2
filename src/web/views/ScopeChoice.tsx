import type { ReactNode } from "react";
import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { ALL_SCOPES, SCOPE_WORDS } from "../model/machine-devices.ts";

type Scopes = RemoteDevice["scopes"];

/** What a device may do; to see is part of each. */
export function ScopeChoice({
  legend,
  scopes,
  onChange,
}: {
  legend: string;
  scopes: Scopes;
  onChange: (scopes: Scopes) => void;
}): ReactNode {
  return (
    <fieldset className="scope-choice">
      <legend>{legend}</legend>
      {ALL_SCOPES.map((scope) => (
        <label key={scope}>
          <input
            type="checkbox"
            checked={scope === "view" || scopes.includes(scope)}
            disabled={scope === "view"}
            onChange={({ target }) =>
              onChange(
                ALL_SCOPES.filter((one) => (one === scope ? target.checked : one === "view" || scopes.includes(one))),
              )
            }
          />
          <span>
            <b>{scope}</b> <span className="project">{SCOPE_WORDS[scope]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
