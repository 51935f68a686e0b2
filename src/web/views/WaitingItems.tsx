import type { ReactNode } from "react";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import { outboxGroups } from "../model/outbox-lines.ts";
import { plainText } from "../model/plain-text.ts";

/** What was written for a machine that is away, and how far each has come, where it was written; the outbox says more. @param name the machine's */
export function WaitingItems({ items, name }: { items: readonly OutboxItem[]; name: string }): ReactNode {
  const lines = outboxGroups(items, { machineName: () => name, unitName: () => "" }).flatMap((group) => group.lines);
  if (lines.length === 0) return null;
  return (
    <ul className="waiting" aria-label="What waits" aria-live="polite">
      {lines.map(({ id, text, state, detail }) => (
        <li key={id}>
          <span className={`tone-${state.tone}`}>
            <span aria-hidden="true">{state.glyph}</span> {state.word}
          </span>{" "}
          <span className="plain">{plainText(text ?? "")}</span>{" "}
          <a href="#/outbox" title={detail}>
            outbox
          </a>
        </li>
      ))}
    </ul>
  );
}
