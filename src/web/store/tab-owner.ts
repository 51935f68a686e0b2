/**
 * Which tab of this browser speaks with the hubs: one at a time, since the store, the cursors and the outbox are one. The browser's own locks tell (Web Locks): a tab that is closed
 * or killed gives way at once, and the one that waits longest goes on.
 */
export interface TabOwner {
  /** This tab from now on; the other one is told, and waits. */
  takeOver(): void;
  close(): void;
}

export interface TabOwnerEvents {
  /** This tab is the one. Everything that it starts has to have ended when the answer's promise has; it is not called again before. */
  onOwned(): Promise<() => Promise<void>>;
  /** Another tab is, or has become the one; of a tab that was still starting then also once what it started has ended. */
  onLost(): void;
}

const NAME = "warren-device";

export function becomeOwner(events: TabOwnerEvents, locks: LockManager | undefined = navigator.locks): TabOwner {
  // Without locks there is no other tab that could be seen: this one is the one.
  if (!locks) {
    const owned = events.onOwned();
    return { takeOver: () => {}, close: () => void owned.then((end) => end()) };
  }
  let over = new AbortController();
  let isClosed = false;
  /** This tab has the lock, or takes it at this moment. */
  let isOurs = false;
  /** What was started before has ended. */
  let turn = Promise.resolve();
  const own = async (gone: AbortSignal): Promise<void> => {
    if (isClosed || gone.aborted) return;
    const end = await events.onOwned();
    const isLate = gone.aborted;
    await new Promise<void>((resolve) => {
      if (gone.aborted) resolve();
      gone.addEventListener("abort", () => resolve(), { once: true });
    });
    await end();
    if (isLate && !isClosed) events.onLost(); // what it has said of itself since it was told so is not true any more
  };
  const hold = (lock: Lock | null, gone: AbortSignal): Promise<void> => {
    if (!lock) return Promise.resolve();
    isOurs = true;
    const next = (): Promise<void> => own(gone);
    turn = turn.then(next, next);
    return turn;
  };
  const request = async (steal: boolean): Promise<void> => {
    over.abort();
    const mine = new AbortController();
    over = mine;
    const options: LockOptions = steal ? { steal } : { signal: mine.signal };
    try {
      await locks.request(NAME, options, (lock) => hold(lock, mine.signal));
    } catch {
      // Given up by us, or stolen by another tab.
      const isStolen = !mine.signal.aborted;
      mine.abort();
      if (!isStolen || isClosed) return;
      isOurs = false;
      events.onLost();
      void request(false);
    }
  };
  void locks.query().then(({ held }) => held?.some(({ name }) => name === NAME) && events.onLost());
  void request(false);
  return {
    takeOver() {
      if (isOurs) return;
      isOurs = true;
      void request(true);
    },
    close() {
      isClosed = true;
      over.abort();
    },
  };
}
