import type { ReactNode } from "react";
import { CopyCommand } from "./CopyCommand.tsx";
import { useApp, useFleet } from "./world.ts";

/** Where a machine's page would stand: there is none yet, or not any more. */
export function NoMachine({ isGone = false }: { isGone?: boolean }): ReactNode {
  const { whyNoRemote } = useApp();
  const { tab } = useFleet();
  if (isGone)
    return (
      <div className="empty">
        <h1>This machine is not here any more</h1>
        <p>
          It was removed from this browser, or its hub was. <a href="#/">All units</a>
        </p>
      </div>
    );
  if (tab === "starting") return <p className="empty">Looking up what this browser knows.</p>;
  if (whyNoRemote !== undefined)
    return (
      <div className="empty">
        <h1>This browser cannot be let in</h1>
        <p>{whyNoRemote}</p>
      </div>
    );
  return (
    <div className="empty">
      <h1>No machine lets this browser in yet</h1>
      <p>Everything that runs on your machines will stand here. On such a machine, in a terminal:</p>
      <CopyCommand command={`warren pair --hub ${location.origin}`} />
      <p>Scan the code that it shows with this device's camera, or</p>
      <a className="button primary" href="#/pair">
        Pair with a machine
      </a>
    </div>
  );
}
