import type { TemporaryHome } from "../harness/home.ts";
import type { HubHouse } from "../harness/hub-house.ts";
import type { Random } from "../harness/random.ts";
import type { Site } from "../harness/site.ts";
import type { Incidents } from "./incidents.ts";
import type { Ledger } from "./ledger.ts";

/** What all parts of a run stand on: one home with everything in it, two hubs, and a home that is the first one's device. */
export interface Ground {
  site: Site;
  /** The site's: a machine, its project, its mailbox. */
  house: TemporaryHome;
  hubs: readonly [HubHouse, HubHouse];
  device: TemporaryHome;
  ledger: Ledger;
  incidents: Incidents;
  random: Random;
  /** Nothing new is begun; what is in hand is finished. */
  over: AbortSignal;
  /** Somebody wants it to end at once: what fails from now on is no fault. */
  stopped: AbortSignal;
}

/** One part of the load, with its own oracle. */
export interface Part {
  name: string;
  /** Everything that is there from the beginning to the end. */
  open(): Promise<void>;
  /** Until `over`. Resolves when nothing of it is in hand. */
  work(): Promise<void>;
  /** Looks at what has become of all of it. */
  check(): Promise<void>;
  /** In a word or two, for the line of each minute. */
  say(): string;
}

/** Rounds of work until it is over. A round that fails is a fault, and the next one begins. */
export async function rounds(
  { over, stopped, ledger }: Ground,
  part: string,
  work: () => Promise<void>,
): Promise<void> {
  while (!over.aborted) {
    try {
      await work();
    } catch (error) {
      if (!stopped.aborted) ledger.fault(part, error);
      await pause(FAULT_PAUSE_MS, over);
    }
  }
}

/** So that what is broken for good does not fill the ledger within a second. */
const FAULT_PAUSE_MS = 1_000;

/** Lets time pass where load, not an event, is what is wanted; less when it is over. */
export function pause(delayMs: number, over: AbortSignal): Promise<void> {
  if (over.aborted) return Promise.resolve();
  return new Promise((wake) => {
    const done = (): void => {
      clearTimeout(timer);
      over.removeEventListener("abort", done);
      wake();
    };
    const timer = setTimeout(done, delayMs);
    over.addEventListener("abort", done);
  });
}
