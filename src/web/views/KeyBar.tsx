import { type ReactNode, useState } from "react";

/** The keys that a phone's keyboard lacks, and where each stands in its two rows (`.keybar`). Ctrl and ⌥ hold for the next key. */
const KEYS = [
  { at: "esc", label: "esc", said: "Escape", keys: "\x1b" },
  { at: "tab", label: "tab", said: "Tab", keys: "\t" },
  { at: "ctrl", label: "ctrl", said: "Control", holds: "isCtrl" },
  { at: "alt", label: "⌥", said: "Alt", holds: "isAlt" },
  { at: "cancel", label: "^C", said: "Control C", keys: "\x03" },
  { at: "up", label: "↑", said: "Up", keys: "\x1b[A" },
  { at: "down", label: "↓", said: "Down", keys: "\x1b[B" },
  { at: "left", label: "←", said: "Left", keys: "\x1b[D" },
  { at: "right", label: "→", said: "Right", keys: "\x1b[C" },
  { at: "slash", label: "/", said: "Slash", keys: "/" },
  { at: "bar", label: "|", said: "Bar", keys: "|" },
  { at: "tilde", label: "~", said: "Tilde", keys: "~" },
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
      {KEYS.map((key) => (
        <button
          key={key.at}
          type="button"
          style={{ gridArea: key.at }}
          aria-label={key.said}
          aria-pressed={"holds" in key ? sticky[key.holds] : undefined}
          onPointerDown={stay}
          onClick={() => ("holds" in key ? hold({ ...sticky, [key.holds]: !sticky[key.holds] }) : onKeys(key.keys))}
        >
          {key.label}
        </button>
      ))}
    </div>
  );
}
