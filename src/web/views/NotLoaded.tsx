import type { ReactNode } from "react";

/** The file is gone: a newer app is served by now, or nothing is and it was not kept. */
export function NotLoaded(): ReactNode {
  return (
    <div className="empty">
      <p>This page could not be loaded. Nothing was changed.</p>
      <button type="button" onClick={() => location.reload()}>
        Load the app again
      </button>
    </div>
  );
}
