import type { RemoteClock } from "../../contact/network.ts";

/** The page's own time. A page in the background is woken rarely; what was due then is done when it is seen again. */
export const pageClock: RemoteClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return () => clearTimeout(handle);
  },
};
