import type { ReactNode } from "react";
import { useApp, useDo, useFleet } from "./world.ts";

/** What concerns the whole app and is not as it should be, in a sentence, with what can be done. */
export function Banner(): ReactNode {
  const { tab, storage, hubs } = useFleet();
  const { remote } = useApp();
  const perform = useDo();
  return (
    <>
      {storage.kind !== "kept" && (
        <p className="banner tone-attention" aria-live="polite">
          ◌ {storage.text}
        </p>
      )}
      {tab === "other-tab" && hubs.length > 0 && (
        <p className="banner" aria-live="polite">
          Another tab of this browser speaks with the hubs; what stands here is remembered.
          <button type="button" onClick={() => void perform(undefined, async () => remote?.takeOver())}>
            Use this tab
          </button>
        </p>
      )}
    </>
  );
}
