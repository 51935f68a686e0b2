import { type ReactNode, useState } from "react";

/** The keys that a phone's keyboard lacks. Ctrl and ⌥ hold for the next key. */
const KEYS = [
  ["esc", "\x1b", "Escape"],
  ["tab", "\t", "Tab"],
  ["↑", "\x1b[A", "Up"],
  ["↓", "\x1b[B", "Down"],
  ["←", "\x1b[D", "Left"],
  ["→", "\x1b[C", "Right"],
  ["^C", "\x03", "Control C"],
  ["/", "/", "Slash"],
  ["|", "|", "Bar"],
  ["~", "~", "Tilde"],
] as const;

export interface StickyKeys {
  isCtrl: boolean;
  isAlt: boolean;
}

export function KeyBar({
  onKeys,
  onSticky,
}: {
  onKeys: (keys: string) => void;
  onSticky: (keys: { sticky: StickyKeys; onUsed: () => void }) => void;
}): ReactNode {
  const [sticky, setSticky] = useState<StickyKeys>({ isCtrl: false, isAlt: false });
  const hold = (next: StickyKeys): void => {
    setSticky(next);
    onSticky({ sticky: next, onUsed: () => setSticky({ isCtrl: false, isAlt: false }) });
  };
  // The terminal keeps the focus, or the phone's keyboard would go away.
  const stay = (event: React.PointerEvent): void => event.preventDefault();
  return (
    <div className="keybar" role="toolbar" aria-label="Keys">
      <button
        type="button"
        aria-pressed={sticky.isCtrl}
        onPointerDown={stay}
        onClick={() => hold({ ...sticky, isCtrl: !sticky.isCtrl })}
      >
        ctrl
      </button>
      <button
        type="button"
        aria-pressed={sticky.isAlt}
        aria-label="Alt"
        onPointerDown={stay}
        onClick={() => hold({ ...sticky, isAlt: !sticky.isAlt })}
      >
        ⌥
      </button>
      {KEYS.map(([label, keys, said]) => (
        <button key={label} type="button" aria-label={said} onPointerDown={stay} onClick={() => onKeys(keys)}>
          {label}
        </button>
      ))}
    </div>
  );
}
