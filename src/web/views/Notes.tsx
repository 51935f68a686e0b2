import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { hashOf } from "../model/route.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { type Note, useApp, useRoute } from "./world.ts";

const GOOD_MS = 4_000;

/** What was done, for a moment; what failed, until it is put away or another page is opened. */
export function Notes(): ReactNode {
  const { notes } = useApp();
  const all = useSyncExternalStore(notes.subscribe, notes.get);
  const page = hashOf(useRoute());
  // biome-ignore lint/correctness/useExhaustiveDependencies: what failed belongs to the page on which it did
  useEffect(() => {
    for (const { id, tone } of notes.get()) if (tone === "bad") notes.dispatch({ type: "forget", id });
  }, [page]);
  return (
    <div className="notes" aria-live="polite">
      {all.map((note) => (
        <OneNote key={note.id} note={note} onOver={() => notes.dispatch({ type: "forget", id: note.id })} />
      ))}
    </div>
  );
}

function OneNote({ note, onOver }: { note: Note; onOver: () => void }): ReactNode {
  const { text, tone, fix } = note;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one timer for each note
  useEffect(() => {
    if (tone === "bad") return;
    const timer = setTimeout(onOver, GOOD_MS);
    return () => clearTimeout(timer);
  }, [note.id]);
  return (
    <div className={`note tone-${tone}`}>
      <p>
        <span aria-hidden="true">{tone === "bad" ? "✗" : "✓"}</span> {text}
      </p>
      {fix !== undefined && <CopyCommand command={fix} />}
      <button type="button" className="quiet" onClick={onOver} aria-label="Put away">
        ×
      </button>
    </div>
  );
}
