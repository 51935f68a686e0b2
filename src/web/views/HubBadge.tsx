import type { ReactNode } from "react";

/** By which hub a machine is met, where there are several. */
export function HubBadge({ label }: { label: string | undefined }): ReactNode {
  if (label === undefined) return null;
  return (
    <span className="hub" title={`by the hub ${label}`}>
      <span className="unseen">by hub </span>
      {label}
    </span>
  );
}
