import type { ReactNode } from "react";
import { CopyCommand } from "./CopyCommand.tsx";
import { pairCommand } from "./pair-command.ts";
import { useApp, useFleet } from "./world.ts";

/** Where a machine's page would stand: there is none yet, or not any more. */
export function NoMachine({ isGone = false }: { isGone?: boolean }): ReactNode {
  const { whyNoRemote } = useApp();
  const { tab, hubs } = useFleet();
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
    <div className="scroll first">
      <h1>No machine lets this browser in yet</h1>
      <p>
        Warren runs terminals, coding agents and jobs on your machines. From here you see and steer them. What goes to
        and fro is sealed from end to end: a hub passes it on, and reads none of it.
      </p>
      <ol>
        <li>
          On one of your machines, in a terminal:
          <CopyCommand command={pairCommand(hubs)} />
        </li>
        <li>
          It shows a code, for two minutes. Scan it with this device's camera, or give it to
          <a className="button primary" href="#/pair">
            Pair with a machine
          </a>
        </li>
        <li>Both show the same six digits. Say yes on the machine, and what runs there stands here.</li>
      </ol>
      <p className="project">
        The machine has no Warren yet? In a checkout of it: <code>npm install -g .</code>
      </p>
    </div>
  );
}
