import type { ReactNode } from "react";
import type { Scope } from "../../protocol/messages.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { ALL_SCOPES } from "../model/machine-devices.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import type { ShownMachine } from "./machines.ts";

/** What this browser may not do on a machine, and what lets it. The machine holds it to that; this says so before anything is tried. */
export function MayNot({
  machine: { name: there, may },
  scope,
  what,
  browser,
}: {
  machine: Pick<ShownMachine, "name" | "may">;
  scope: Scope;
  /** `answer what agents ask` */
  what: string;
  /** As the machine calls this browser; undefined: it is not known here. */
  browser?: string | undefined;
}): ReactNode {
  const wanted = ALL_SCOPES.filter((one) => one === scope || may(one)).join(",");
  return (
    <details className="may-not">
      <summary>
        This browser may look, and not {what} on {there}
      </summary>
      <p>
        To let it, type there{browser === undefined && ", with the name that “warren devices” shows for this browser"}:
      </p>
      <CopyCommand command={`warren devices scopes ${browser === undefined ? "NAME" : quoteWord(browser)} ${wanted}`} />
    </details>
  );
}
