import { type RefObject, useEffect, useState } from "react";

/** How far a finger pulls a list down, at its top, before letting go asks every hub. */
const PULL_PX = 72;

export type Pull = "none" | "pulling" | "enough";

/** On touch screens: what the pull of this list has come to; `onPulled` when it is let go far enough. */
export function usePull(box: RefObject<HTMLElement | null>, onPulled: () => void): Pull {
  const [pull, setPull] = useState<Pull>("none");
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const over = new AbortController();
    const options = { signal: over.signal, passive: true };
    let fromY: number | undefined;
    let isEnough = false;
    const end = (isLetGo: boolean): void => {
      if (isLetGo && isEnough) onPulled();
      fromY = undefined;
      isEnough = false;
      setPull("none");
    };
    element.addEventListener(
      "touchstart",
      ({ touches }) => {
        fromY = touches.length === 1 && element.scrollTop <= 0 ? touches[0]!.clientY : undefined;
      },
      options,
    );
    element.addEventListener(
      "touchmove",
      ({ touches }) => {
        if (fromY === undefined) return;
        const byPx = touches[0]!.clientY - fromY;
        isEnough = byPx >= PULL_PX;
        setPull(byPx < PULL_PX / 3 ? "none" : isEnough ? "enough" : "pulling");
      },
      options,
    );
    element.addEventListener("touchend", () => end(true), options);
    element.addEventListener("touchcancel", () => end(false), options);
    return () => over.abort();
  }, [box, onPulled]);
  return pull;
}
