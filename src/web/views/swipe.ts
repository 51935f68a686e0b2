import { type RefObject, useEffect, useRef } from "react";

/** A finger that is drawn sideways over an element, further than this, in pixels. What is scrolled up and down is no swipe. */
const SWIPE_PX = 80;

export interface Swipes {
  onLeft?: (() => void) | undefined;
  onRight?: (() => void) | undefined;
}

export function useSwipe(box: RefObject<HTMLElement | null>, swipes: Swipes): void {
  const now = useRef(swipes);
  useEffect(() => {
    now.current = swipes;
  });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const over = new AbortController();
    watchSwipe(element, over.signal, (side) => (side === "left" ? now.current.onLeft : now.current.onRight)?.());
    return () => over.abort();
  }, [box]);
}

function watchSwipe(element: HTMLElement, signal: AbortSignal, onSwipe: (side: "left" | "right") => void): void {
  let start: { x: number; y: number } | undefined;
  element.addEventListener(
    "touchstart",
    ({ touches, target }) => {
      const [touch, another] = touches;
      // What scrolls sideways by itself keeps its own movement.
      start =
        touch && !another && !scrollsSideways(target, element) ? { x: touch.clientX, y: touch.clientY } : undefined;
    },
    { signal, passive: true },
  );
  element.addEventListener(
    "touchend",
    ({ changedTouches: [touch] }) => {
      if (!start || !touch) return;
      const [x, y] = [touch.clientX - start.x, touch.clientY - start.y];
      start = undefined;
      if (Math.abs(x) >= SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) onSwipe(x < 0 ? "left" : "right");
    },
    { signal, passive: true },
  );
}

function scrollsSideways(target: EventTarget | null, within: HTMLElement): boolean {
  for (let at = target as HTMLElement | null; at && at !== within; at = at.parentElement)
    if (at.scrollWidth > at.clientWidth) return true;
  return false;
}
