import { type ReactNode, useState } from "react";

/** A command to be typed in a terminal, and a button that copies it. @param command what stands behind ` # ` is said beside it */
export function CopyCommand({ command: line }: { command: string }): ReactNode {
  const [, command = line, remark] = /^(.*?)\s+# (.*)$/.exec(line) ?? [];
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
      {remark !== undefined && <span className="project">{remark}</span>}
      <button type="button" onClick={copy}>
        {isCopied ? "copied" : "copy"}
      </button>
    </div>
  );
}
