import { type ReactNode, useState } from "react";

/** A command to be typed in a terminal, and a button that copies it. */
export function CopyCommand({ command }: { command: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(command).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div className="copy">
      <code>{command}</code>
      <button type="button" onClick={copy}>
        {isCopied ? "copied" : "copy"}
      </button>
    </div>
  );
}
