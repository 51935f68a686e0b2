import type { ReactNode } from "react";
import { isSettled } from "../../client/remote/outbox-item.ts";
import { type FleetMachine, isLive } from "../model/fleet.ts";
import { plural } from "../model/text.ts";
import { useOutboxItems } from "./answering.ts";
import { useApp, useDo, useFleet } from "./world.ts";

/** What concerns the whole app and is not as it should be, in a sentence, with what can be done. */
export function Banner(): ReactNode {
  const { tab, storage, hubs, machines } = useFleet();
  const { remote } = useApp();
  const perform = useDo();
  return (
    <>
      {storage.kind !== "kept" && (
        <p className="banner tone-attention" aria-live="polite">
          ◌ {storage.text}
        </p>
      )}
      {tab === "other-tab" && hubs.length > 0 && (
        <p className="banner" aria-live="polite">
          Another tab of this browser speaks with the hubs; what stands here is remembered.
          <button type="button" onClick={() => void perform(undefined, async () => remote?.takeOver())}>
            Use this tab
          </button>
        </p>
      )}
      {[...machines.values()]
        .filter(({ refusedBy }) => refusedBy !== undefined)
        .map((machine) => (
          <Revoked key={machine.id} machine={machine} />
        ))}
      {[...machines.values()].filter(isPartlyKnown).map(({ id, name }) => (
        <p key={id} className="banner" aria-live="polite">
          ◌ What {name} has left for this browser has not all come: something newer may be missing here. It is asked as
          soon as it is there.
        </p>
      ))}
    </>
  );
}

const isPartlyKnown = (machine: FleetMachine): boolean =>
  machine.isIncomplete === true && machine.refusedBy === undefined && !isLive(machine);

/** A machine has cut this browser off: nothing of it comes any more, and a person has to decide what becomes of what is known. */
function Revoked({ machine: { id, name, refusedBy } }: { machine: FleetMachine }): ReactNode {
  const { remote } = useApp();
  const perform = useDo();
  const waitingCount = useOutboxItems().filter((item) => item.machine === id && !isSettled(item)).length;
  return (
    <div className="banner" role="alert">
      <p>
        <span className="tone-bad">✗ {name} does not let this browser in any more.</span>{" "}
        {refusedBy === "hub" && "So its hub says, which may be wrong. "}
        What stands here of it is what was known; what runs there keeps running.
        {waitingCount > 0 && ` ${plural(waitingCount, "request")} that waited for it will not be carried out.`} To come
        back, <a href="#/pair">pair with it again</a>.
      </p>
      <button
        type="button"
        onClick={() => void perform(`${name} is removed from this browser`, async () => remote?.removeMachine(id))}
      >
        Remove {name} here
      </button>
    </div>
  );
}
