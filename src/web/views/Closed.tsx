import type { ReactNode } from "react";
import { CopyCommand } from "./CopyCommand.tsx";

/** In the place of the app, when this browser is not let in. */
export function Closed({ text }: { text: string }): ReactNode {
  return (
    <main className="closed">
      <h1>Warren</h1>
      <p>{text}</p>
      <p>Open the link that this command prints; it is good for one browser, once. What runs keeps running.</p>
      <CopyCommand command="warren web" />
    </main>
  );
}
