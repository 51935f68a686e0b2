import type { ReactNode } from "react";
import { Dialog } from "./Dialog.tsx";

/** Every key of the app, as `?` shows them; `keys.ts` carries them out. */
const KEYS = [
  ["j, ↓", "the next unit"],
  ["k, ↑", "the one before"],
  ["enter", "open it, and type"],
  ["/", "search"],
  ["esc", "back to the list"],
  ["i", "inbox"],
  ["m", "mail"],
  ["n", "new session"],
  ["h", "hubs"],
  ["d", "devices; with a question, deny"],
  ["o", "outbox"],
  [",", "settings"],
  ["a", "a question: allow once"],
  ["A", "a question: always"],
  ["j, k", "in the inbox: the next question, the one before"],
  ["⌘K, ctrl K", "palette: go anywhere, do anything"],
  ["?", "these keys"],
] as const;

export function Keys({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <Dialog label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl className="facts">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
